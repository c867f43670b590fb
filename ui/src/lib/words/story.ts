// One step of a run as a sentence: what was decided, by what, from which words. A step or an outcome
// this file does not know yet is shown by its name: better a bare word than a hole in the story.
import { m } from '#paraglide/messages.js';
import type { StepView } from '../api.ts';
import { cautionWord, failureWord, intentWord, kindReason, kindWord, replyReason } from './codes.ts';
import { moment, percent } from './dates.ts';
import { conditionInWords, fieldWord } from './rule.ts';

export type Telling = {
  sentence: string;
  /** What the sentence leaves out: the condition, the model, the reason. */
  details: string[];
  /** The words that decided, with where they stood. */
  quotes: { where: string | null; words: string }[];
};

type Facts = Record<string, unknown>;

export function tell(step: StepView, nameOf: (userId: string | null) => string | null): Telling {
  const teller = TELLERS[step.name];
  const told = teller?.(step.outcome, step.facts, nameOf) ?? null;
  return {
    sentence: told?.[0] ?? `${step.name}: ${step.outcome}`,
    details: told?.slice(1).filter((line): line is string => Boolean(line)) ?? plainFacts(step.facts),
    quotes: step.evidence.map(quote),
  };
}

/** The sentence, then the details; null when the outcome is not known here. */
type Teller = (outcome: string, facts: Facts, nameOf: (id: string | null) => string | null) => Lines | null;
type Lines = (string | null | undefined)[];

const TELLERS: Record<string, Teller> = {
  recogniseDuplicate: (outcome, facts) =>
    pick(outcome, {
      new: () => [m.story_new()],
      incomplete: () => [m.story_incomplete()],
      duplicate: () => [m.story_duplicate()],
      'set-aside': () => [m.story_set_aside(), text(facts.problem)],
    }),

  recordMessage: (outcome, facts) =>
    pick(outcome, {
      opened: () => [openedBy(facts.by), ...list(facts.problems)],
      joined: () => [joinedBy(facts.by), ...list(facts.problems)],
      duplicate: () => [m.story_duplicate()],
    }),

  filterBulkMail: (outcome, facts) => {
    const reason = kindReason(String(facts.reason ?? ''));
    return outcome === 'personal'
      ? [m.story_personal({ reason })]
      : [m.story_filtered({ kind: kindWord(outcome).toLocaleLowerCase(), reason })];
  },

  classifyMessage: (outcome, facts) => {
    const folder = text(facts.folder) ?? m.no_folder();
    const judged = () => [
      text(facts.reason),
      m.story_confidence({
        confidence: percent(Number(facts.confidence)),
        threshold: percent(Number(facts.threshold)),
        model: text(facts.model) ?? '—',
      }),
      text(facts.intent) && m.story_intent({ intent: intentWord(String(facts.intent)) }),
      facts.urgent ? m.story_urgent() : null,
    ];
    return pick(outcome, {
      'rule-matched': () => [
        m.story_rule_matched({ folder, rule: Number(facts.rule) || 1 }),
        text(facts.condition) && m.story_condition({ condition: conditionInWords(String(facts.condition)) }),
      ],
      'no-rule-matched': () => [m.story_no_rule()],
      'left-to-model': () => [m.story_left_to_model()],
      'sorted-by-person': () => [m.story_sorted_by_person()],
      'model-chose': () => [m.story_model_chose({ folder }), ...judged()],
      'model-unsure': () => [m.story_model_unsure(), ...judged()],
    });
  },

  sortConversation: (outcome, facts) => {
    const folder = text(facts.folder);
    return pick(outcome, {
      'sorted-by-rule': () => [m.story_sorted({ folder: folder ?? m.no_folder() })],
      'sorted-by-model': () => [m.story_sorted({ folder: folder ?? m.no_folder() })],
      unchanged: () => [folder ? m.story_stays({ folder }) : m.story_stays_unsorted()],
    });
  },

  decideReply: (outcome, facts) => {
    const reason = replyReason(String(facts.reason ?? ''));
    return pick(outcome, {
      none: () => [m.story_reply_none({ reason })],
      draft: () => [m.story_reply_draft({ reason })],
      automatic: () => [m.story_reply_automatic({ reason })],
      later: () => [m.story_reply_later({ reason })],
    });
  },

  draftReply: (outcome, facts) => {
    const articles = list(facts.articles);
    const used = articles.length > 0 ? m.story_articles({ articles: articles.join(', ') }) : null;
    const caution = text(facts.caution) && m.story_caution({ caution: cautionWord(String(facts.caution)) });
    return pick(outcome, {
      'by-model': () => [m.story_draft_model(), used, caution],
      'from-article': () => [m.story_draft_article(), used, caution],
      'nothing-to-say': () => [m.story_draft_nothing()],
      overtaken: () => [m.story_draft_overtaken()],
      'written-again': () => [m.story_draft_again()],
      'nothing-else-to-say': () => [m.story_draft_nothing_else()],
      'kept-old': () => [m.story_draft_kept()],
    });
  },

  reviewDraft: (outcome, facts, nameOf) => {
    const name = nameOf(text(facts.by));
    const obstacle = text(facts.obstacle);
    return pick(outcome, {
      waiting: () => [m.story_review_waiting()],
      approved: () => [name ? m.story_review_approved_by({ name }) : m.story_review_approved()],
      discarded: () => [name ? m.story_review_discarded_by({ name }) : m.story_review_discarded()],
      superseded: () => [
        facts.byKind === 'client'
          ? m.story_review_superseded_client()
          : name
            ? m.story_review_superseded_by({ name })
            : m.story_review_superseded(),
      ],
      regenerating: () => [name ? m.story_review_regenerating_by({ name }) : m.story_review_regenerating()],
      'deadline-remind': () => [m.story_deadline_remind()],
      'deadline-escalate': () => [m.story_deadline_escalate()],
      'deadline-send': () => [m.story_deadline_send()],
      'deadline-discard': () => [m.story_deadline_discard()],
      'approved-automatically': () => [m.story_review_automatic()],
      'cannot-be-sent': () => [
        m.story_review_waiting(),
        obstacle && m.story_caution({ caution: replyReason(obstacle) }),
      ],
    });
  },

  sendReply: (outcome, facts) => {
    const why = text(facts.failure) && m.story_because({ reason: failureWord(String(facts.failure)) });
    const attempt = Number(facts.attempt) > 1 ? m.story_attempt({ attempt: Number(facts.attempt) }) : null;
    return pick(outcome, {
      sent: () => [m.story_sent(), attempt],
      approved: () => [m.story_send_again(), why, attempt],
      failed: () => [m.story_send_failed(), why, attempt],
      unknown: () => [m.story_send_unknown(), why],
      'found-in-sent': () => [m.story_found_in_sent()],
      'given-up': () => [m.story_given_up(), why],
    });
  },

  scheduleFollowUp: (outcome, facts) =>
    pick(outcome, {
      armed: () => [m.story_follow_up_armed({ moment: moment(String(facts.dueAt)) })],
      none: () => [m.story_follow_up_none()],
    }),

  fireFollowUp: (outcome) =>
    pick(outcome, {
      sent: () => [m.story_follow_up_sent()],
      reminded: () => [m.story_follow_up_reminded()],
      cancelled: () => [m.story_follow_up_cancelled()],
    }),
};

function pick(outcome: string, tellings: Record<string, () => Lines>): Lines | null {
  return tellings[outcome]?.() ?? null;
}

// Rules give "subject: RDV", the mail filter gives header lines as they stand.
function quote(evidence: string): Telling['quotes'][number] {
  const [, field, words] = /^([\w.]+): ([\s\S]*)$/.exec(evidence) ?? [];
  const where = field && words ? fieldWord(field) : null;
  return where ? { where, words: words! } : { where: null, words: evidence };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function plainFacts(facts: Facts): string[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .slice(0, 6);
}

function openedBy(reason: unknown): string {
  if (reason === 'stranger') return m.story_opened_stranger();
  return reason === 'long-ago' ? m.story_opened_long_ago() : m.story_opened();
}

function joinedBy(reason: unknown): string {
  if (reason === 'returned') return m.story_joined_returned();
  if (reason === 'reply-address') return m.story_joined_reply_address();
  if (reason === 'our-mail') return m.story_joined_our_mail();
  return reason === 'number' ? m.story_joined_number() : m.story_joined();
}
