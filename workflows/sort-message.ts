// Where a message belongs: the company's rules first, the model for what they leave, an agent for the rest.
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { MessageRef, ModelVerdict, RuleVerdict, Sorting } from '#activities/classifying.ts';
import { database, model } from './steps.ts';

/** @returns the name of the folder it went into, when it went into one now */
export async function sortMessage(message: MessageRef): Promise<string | null> {
  const rules = await database('Try the rules of every folder').classifyMessage(message);
  const judged = rules.askModel ? await judge(message) : null;
  const sorting = choose(rules, judged);
  await database(sentence(rules, judged)).sortConversation({ ...message, ...sorting });
  return rules.folder?.name ?? (rules.settled ? null : (judged?.folderName ?? null));
}

// Rules win over the model, whose word on intent and urgency counts all the same.
function choose(rules: RuleVerdict, judged: ModelVerdict | null): Sorting {
  const { folderName: _, ...opinion } = judged ?? { folderId: null, folderName: null, by: 'nobody' as const };
  if (rules.folder) return { ...opinion, folderId: rules.folder.id, by: 'rule', rule: rules.folder.rule };
  return rules.settled ? { ...opinion, folderId: null, by: 'nobody' } : opinion;
}

function sentence(rules: RuleVerdict, judged: ModelVerdict | null): string {
  if (rules.folder) return `Sorted into ${rules.folder.name} by rule ${rules.folder.rule}`;
  if (rules.settled) return 'Stays where an agent has put it';
  if (judged?.folderName) return `Sorted into ${judged.folderName} by the model, ${percent(judged.confidence)} sure`;
  return rules.askModel ? 'Left for an agent: the model was not sure enough' : 'Left for an agent: no rule matched';
}

async function judge(message: MessageRef): Promise<ModelVerdict | null> {
  try {
    return await model('Ask the model where it belongs').judgeMessage(message);
  } catch (error) {
    // Without the model the message waits unsorted; the next look at folderless conversations asks again.
    if (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure) return null;
    throw error;
  }
}

function percent(confidence = 0): string {
  return `${Math.round(confidence * 100)} %`;
}
