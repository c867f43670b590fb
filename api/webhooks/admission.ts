// Whether a call of Vonage is let in, and for whom. Its signature is the only thing that is believed: the number it names
// merely says whose secrets to try.
import { isSignedBy } from '#domain/integrations/vonage-signature.ts';
import { verifyWebhookToken } from '#domain/integrations/vonage-token.ts';
import type { QuarantineReason } from '#domain/rules/words.ts';
import type { ConnectedNumber } from './connected-numbers.ts';
import { type CallFacts, factsOf, type VonageCall } from './vonage-call.ts';

/** How old the signature of a call on its way may be, and how far the clocks may be apart. */
const FRESH_SECONDS = 300;
/** Vonage repeats what we did not take for a day, and receipts for three. Nothing of theirs is older. */
const OLDEST_SECONDS = { message: 25 * 3600, status: 73 * 3600 };

export type Admission =
  /** `stale`: a late repeat. The replay memory is the receipt's own unique key, so what is unseen may come in. */
  | { verdict: 'in'; number: ConnectedNumber; stale: boolean }
  /** `numbers`: of each company it may be for, one. */
  | { verdict: 'quarantine'; reason: QuarantineReason; numbers: ConnectedNumber[] }
  /** No company here has this number or this account. */
  | { verdict: 'nobody' };

/** @param anyAge a person has looked at it and wants it in */
export function judge(
  call: VonageCall,
  numbers: readonly ConnectedNumber[],
  nowSeconds: number,
  anyAge = false,
): Admission {
  const facts = factsOf(call);
  if (numbers.length === 0) return { verdict: 'nobody' };
  const number = numbers.find((one) => holds(call, facts, one));
  if (!number) {
    const reason = facts.isSigned ? 'wrong-signature' : 'unsigned';
    return { verdict: 'quarantine', reason, numbers: oneOfEach(numbers) };
  }
  if (!anyAge && isTooOld(call, facts, nowSeconds))
    return { verdict: 'quarantine', reason: 'too-old', numbers: [number] };
  // A receipt is found by its message; a message needs a number to belong to.
  if (call.kind === 'message' && !number.byNumber)
    return { verdict: 'quarantine', reason: 'unknown-number', numbers: [number] };
  return { verdict: 'in', number, stale: ageOf(facts, nowSeconds) > FRESH_SECONDS };
}

// Who has the number comes before who merely has the account.
function oneOfEach(numbers: readonly ConnectedNumber[]): ConnectedNumber[] {
  const concerned = numbers.filter((one) => one.byNumber === numbers[0]!.byNumber);
  return concerned.filter((one, at) => concerned.findIndex(({ tenantId }) => tenantId === one.tenantId) === at);
}

function holds(call: VonageCall, facts: CallFacts, number: ConnectedNumber): boolean {
  if (call.token === null) {
    const { parameters } = call;
    return parameters !== null && number.secrets.some((secret) => isSignedBy(parameters, secret, number.algorithm));
  }
  const { token, raw } = call;
  const isOurs =
    facts.account === number.apiKey || (facts.application !== null && facts.application === number.applicationId);
  return isOurs && number.secrets.some((secret) => verifyWebhookToken(token, secret, raw) !== null);
}

function isTooOld({ kind }: VonageCall, facts: CallFacts, nowSeconds: number): boolean {
  const age = ageOf(facts, nowSeconds);
  const isOver = facts.expiresAt !== null && facts.expiresAt < nowSeconds;
  return isOver || age < -FRESH_SECONDS || age > OLDEST_SECONDS[kind];
}

/** Seconds; a signature without a time, which Vonage never makes, counts as older than all others. */
function ageOf(facts: CallFacts, nowSeconds: number): number {
  return facts.signedAt === null ? Number.POSITIVE_INFINITY : nowSeconds - facts.signedAt;
}
