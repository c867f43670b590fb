// A draft and its wait: for an agent, a deadline or a newer message, whichever comes first. The draft's row decides who
// was first; a signal only says that there is something to read.
import { ActivityFailure, ApplicationFailure, condition, defineSignal, setHandler } from '@temporalio/workflow';
import type { MessageRef } from '#activities/classifying.ts';
import type { Drafted, ReplyPlan } from '#activities/replying.ts';
import type { DraftRef, Heard } from '#activities/reviewing.ts';
import { DECIDE_DRAFT, type DecideDraft, DRAFT_DECIDED, type DraftDecided } from './contract.ts';
import { database, model } from './steps.ts';

export const draftDecided = defineSignal<[DraftDecided]>(DRAFT_DECIDED);
export const decideDraft = defineSignal<[DecideDraft]>(DECIDE_DRAFT);

type Note = DraftDecided | DecideDraft;

/** Takes notes of decisions from the first moment on; call it before anything is awaited. */
export function listenForDecisions(): Note[] {
  const notes: Note[] = [];
  setHandler(draftDecided, (note) => void notes.push(note));
  setHandler(decideDraft, (note) => void notes.push(note));
  return notes;
}

/** The draft of the model, or from the knowledge articles without one and when it fails for good. */
export async function draftReply(message: MessageRef, plan: ReplyPlan): Promise<Drafted> {
  const caution = plan.reply === 'draft' && plan.reason !== 'validation' ? plan.reason : null;
  if (!plan.hasModel) {
    return database(`Draft an answer for ${plan.folderName} from the articles`).draftFromArticle({
      ...message,
      caution,
    });
  }
  try {
    return await model(`Draft an answer for ${plan.folderName}`).draftByModel({ ...message, caution });
  } catch (error) {
    if (!isModelFailure(error)) throw error;
    const ask = { ...message, caution: 'model-failed' };
    return database('The model failed: draft from the knowledge articles').draftFromArticle(ask);
  }
}

type WaitingDraft = DraftRef & Extract<Drafted, { outcome: 'drafted' }>;

export async function reviewDraft(drafted: WaitingDraft, plan: ReplyPlan, notes: Note[]): Promise<Heard> {
  const draft: DraftRef = { tenantId: drafted.tenantId, draftId: drafted.draftId };
  let heard = await firstWord(draft, drafted, plan);
  let deadline = drafted.deadlineMs === null ? null : Date.now() + drafted.deadlineMs;
  while (heard.state === 'waiting' || heard.state === 'regenerating') {
    if (heard.state === 'regenerating') await writeAgain(draft);
    if (await noteArrives(notes, deadline)) {
      heard = await take(notes.shift()!, draft);
    } else {
      deadline = null;
      heard = await database('Nobody decided in time: do what the folder wants').meetDeadline(draft);
    }
  }
  return heard;
}

// A folder that answers by itself approves at once what the model wrote without any doubt.
async function firstWord(draft: DraftRef, drafted: WaitingDraft, plan: ReplyPlan): Promise<Heard> {
  if (plan.reply !== 'automatic' || drafted.origin !== 'model' || drafted.suspicious) return { state: 'waiting' };
  return database(`${plan.folderName} answers by itself: approve the draft`).approveAutomatically(draft);
}

async function noteArrives(notes: Note[], deadline: number | null): Promise<boolean> {
  const arrived = () => notes.length > 0;
  if (deadline === null) {
    await condition(arrived);
    return true;
  }
  const summary = `Wait for an agent until ${new Date(deadline).toISOString().slice(0, 16)}Z`;
  return condition(arrived, Math.max(1, deadline - Date.now()), { summary });
}

function take(note: Note, draft: DraftRef): Promise<Heard> {
  if ('decision' in note) return database(`An operator signals: ${note.decision}`).decideDraft({ ...draft, ...note });
  return database('Hear what was decided').hearDecision(draft);
}

async function writeAgain(draft: DraftRef): Promise<void> {
  try {
    await model('Write the draft again as the agent asked').redraftReply(draft);
  } catch (error) {
    if (!isModelFailure(error)) throw error;
    await database('The model failed: keep the old text').keepOldDraft(draft);
  }
}

function isModelFailure(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof ApplicationFailure;
}
