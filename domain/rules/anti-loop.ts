// Does a machine answer this message, does it write a draft, or neither? Whatever stops an
// automatic reply to a person leaves a draft for an agent, never silence; only machines' mail gets nothing.
import type { MailKind } from './mail-traits.ts';

export type ReplyFacts = {
  /** The folder's. */
  mode: 'off' | 'automatic' | 'validation';
  hasModel: boolean;
  hasTenantPrompt: boolean;
  kind: MailKind;
  mayAutoReply: { allowed: boolean; reason: string };
  newestInConversation: boolean;
  /** Since anyone of ours replied in this conversation, by hand or automatically; null when nobody ever did. */
  msSinceLastOutbound: number | null;
  /** Automatic replies in this conversation since a person last replied in it. */
  automaticSinceHuman: number;
  automaticToClientToday: number;
  automaticInTenantToday: number;
  /** The text tries to give orders to the model. */
  suspicious: boolean;
  /** Old mail read when a mailbox was connected. */
  fromBackfill: boolean;
};

export type ReplyLimits = { quietMs: number; perClientPerDay: number; perTenantPerDay: number };

/** `reason`: a stable code; `lookAgainInMs` comes with 'later' only. */
export type ReplyDecision = {
  reply: 'none' | 'draft' | 'automatic' | 'later';
  reason: string;
  lookAgainInMs?: number;
};

export function decideReply(facts: ReplyFacts, limits: ReplyLimits): ReplyDecision {
  const silence = reasonForNone(facts);
  if (silence) return { reply: 'none', reason: silence };
  if (facts.mode === 'validation') return { reply: 'draft', reason: 'validation' };
  const doubt = reasonForDraft(facts, limits);
  if (doubt) return { reply: 'draft', reason: doubt };
  const rest = quietRest(facts.msSinceLastOutbound, limits.quietMs);
  if (rest > 0) return { reply: 'later', reason: 'someone-just-replied', lookAgainInMs: rest };
  return { reply: 'automatic', reason: 'automatic' };
}

function reasonForNone(facts: ReplyFacts): string | null {
  if (facts.kind !== 'personal') return `kind-${facts.kind}`;
  if (facts.mode === 'off') return 'mode-off';
  if (facts.fromBackfill) return 'backfill';
  return facts.newestInConversation ? null : 'superseded';
}

/** A draft waits for a person anyway, so these come before the quiet time: nothing is gained by waiting. */
function reasonForDraft(facts: ReplyFacts, limits: ReplyLimits): string | null {
  if (!facts.mayAutoReply.allowed) return facts.mayAutoReply.reason;
  if (!facts.hasModel) return 'no-model';
  if (!facts.hasTenantPrompt) return 'no-tenant-prompt';
  if (facts.suspicious) return 'suspicious';
  if (facts.automaticSinceHuman > 0) return 'second-automatic-reply';
  if (facts.automaticToClientToday >= limits.perClientPerDay) return 'client-ceiling';
  return facts.automaticInTenantToday >= limits.perTenantPerDay ? 'tenant-ceiling' : null;
}

/** A reply dated in the future (two machines' clocks) counts as one of this moment. */
function quietRest(msSinceLastOutbound: number | null, quietMs: number): number {
  return msSinceLastOutbound === null ? 0 : Math.max(0, quietMs - Math.max(0, msSinceLastOutbound));
}
