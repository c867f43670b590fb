import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideReply, type ReplyFacts, type ReplyLimits } from '../../domain/rules/anti-loop.ts';

const LIMITS: ReplyLimits = { quietMs: 120_000, perClientPerDay: 3, perTenantPerDay: 100 };
const CLEAR: ReplyFacts = {
  mode: 'automatic',
  hasModel: true,
  hasTenantPrompt: true,
  kind: 'personal',
  mayAutoReply: { allowed: true, reason: 'allowed' },
  newestInConversation: true,
  msSinceLastOutbound: null,
  automaticSinceHuman: 0,
  automaticToClientToday: 0,
  automaticInTenantToday: 0,
  suspicious: false,
  fromBackfill: false,
};
const decide = (change: Partial<ReplyFacts>) => {
  const { reply, reason } = decideReply({ ...CLEAR, ...change }, LIMITS);
  return `${reply}: ${reason}`;
};
const REFUSED = { allowed: false, reason: 'list-header' };

test('with nothing against it, an automatic folder answers at once', () => {
  expect(decideReply(CLEAR, LIMITS)).toEqual({ reply: 'automatic', reason: 'automatic' });
});

describe('machines and old mail get nothing, in any mode', () => {
  test.each<[string, Partial<ReplyFacts>]>([
    ['none: kind-newsletter', { kind: 'newsletter' }],
    ['none: kind-automatic', { kind: 'automatic' }],
    ['none: kind-loop', { kind: 'loop', mode: 'validation' }],
    ['none: kind-bounce', { kind: 'bounce', mode: 'off' }],
    ['none: mode-off', { mode: 'off', fromBackfill: true }],
    ['none: backfill', { fromBackfill: true, newestInConversation: false }],
    ['none: superseded', { newestInConversation: false, mode: 'validation' }],
  ])('%s', (expected, change) => {
    expect(decide(change)).toBe(expected);
  });
});

describe('whatever stops an automatic reply to a person leaves a draft', () => {
  test.each<[string, Partial<ReplyFacts>]>([
    ['draft: list-header', { mayAutoReply: REFUSED }],
    ['draft: no-model', { hasModel: false }],
    ['draft: no-tenant-prompt', { hasTenantPrompt: false }],
    ['draft: suspicious', { suspicious: true }],
    ['draft: second-automatic-reply', { automaticSinceHuman: 1 }],
    ['draft: client-ceiling', { automaticToClientToday: 3 }],
    ['draft: tenant-ceiling', { automaticInTenantToday: 100 }],
    ['automatic: automatic', { automaticToClientToday: 2, automaticInTenantToday: 99 }],
    ['draft: second-automatic-reply', { automaticSinceHuman: 1, msSinceLastOutbound: 5 }],
    ['draft: validation', { mode: 'validation', mayAutoReply: REFUSED, hasModel: false, msSinceLastOutbound: 0 }],
  ])('%s', (expected, change) => {
    expect(decide(change)).toBe(expected);
  });
});

describe('the two minutes after a reply', () => {
  test('an automatic reply looks again when the rest of them is over', () => {
    expect(decideReply({ ...CLEAR, msSinceLastOutbound: 30_000 }, LIMITS)).toEqual({
      reply: 'later',
      reason: 'someone-just-replied',
      lookAgainInMs: 90_000,
    });
    expect(decide({ msSinceLastOutbound: 120_000 })).toBe('automatic: automatic');
  });

  test('a clock that runs ahead makes nobody wait longer than the quiet time', () => {
    expect(decideReply({ ...CLEAR, msSinceLastOutbound: -3_600_000 }, LIMITS).lookAgainInMs).toBe(120_000);
  });
});

test('for all facts: no robot is answered, no person is met with silence, and waiting ends', () => {
  const facts: fc.Arbitrary<ReplyFacts> = fc.record({
    mode: fc.constantFrom('off', 'automatic', 'validation'),
    hasModel: fc.boolean(),
    hasTenantPrompt: fc.boolean(),
    kind: fc.constantFrom('personal', 'personal', 'newsletter', 'list', 'automatic', 'bounce', 'loop', 'spam'),
    mayAutoReply: fc.constantFrom({ allowed: true, reason: 'allowed' }, REFUSED),
    newestInConversation: fc.boolean(),
    msSinceLastOutbound: fc.option(fc.integer({ min: -1000, max: 300_000 })),
    automaticSinceHuman: fc.nat(2),
    automaticToClientToday: fc.nat(4),
    automaticInTenantToday: fc.nat(120),
    suspicious: fc.boolean(),
    fromBackfill: fc.boolean(),
  });
  fc.assert(
    fc.property(facts, (given) => {
      const { reply, lookAgainInMs } = decideReply(given, LIMITS);
      const wanted =
        given.kind === 'personal' && given.mode !== 'off' && given.newestInConversation && !given.fromBackfill;
      expect(reply === 'none').toBe(!wanted);
      expect(lookAgainInMs === undefined).toBe(reply !== 'later');
      if (reply === 'automatic' || reply === 'later') {
        expect(given).toMatchObject({
          mode: 'automatic',
          hasModel: true,
          hasTenantPrompt: true,
          suspicious: false,
          automaticSinceHuman: 0,
        });
        expect(given.mayAutoReply.allowed).toBe(true);
        expect(given.automaticToClientToday).toBeLessThan(LIMITS.perClientPerDay);
        expect(given.automaticInTenantToday).toBeLessThan(LIMITS.perTenantPerDay);
      }
      if (reply === 'automatic')
        expect(given.msSinceLastOutbound ?? LIMITS.quietMs).toBeGreaterThanOrEqual(LIMITS.quietMs);
      if (reply === 'later') {
        const later = { ...given, msSinceLastOutbound: Math.max(0, given.msSinceLastOutbound!) + lookAgainInMs! };
        expect(decideReply(later, LIMITS).reply).toBe('automatic');
      }
    }),
    { numRuns: 2000 },
  );
});
