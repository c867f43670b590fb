import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextMoment, periodOf, usualLimit } from '#domain/rules/sending-limit.ts';

describe('the usual limit', () => {
  test.each([
    ['smtp.gmail.com', 'boutique@gmail.com', { count: 500, per: 'day' }],
    ['smtp.gmail.com', 'support@acme.fr', { count: 2_000, per: 'day' }],
    ['smtp.office365.com', 'support@acme.fr', { count: 30, per: 'minute' }],
    ['ssl0.ovh.net', 'support@acme.fr', { count: 60, per: 'minute' }],
    ['notgmail.com', 'support@acme.fr', { count: 60, per: 'minute' }],
  ])('of %s for %s', (host, address, limit) => {
    expect(usualLimit(host, address)).toEqual(limit);
  });
});

describe('the next moment', () => {
  test('is now while there is room', () => {
    expect(nextMoment([90, 95], { count: 3, per: 'minute' }, 100)).toBe(100);
  });

  test('never lets more leave in any period than the limit allows', () => {
    const limit = fc.record({ count: fc.integer({ min: 1, max: 5 }), per: fc.constant('minute' as const) });
    const pauses = fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(limit, pauses, (allowed, asked) => {
        const moments: number[] = [];
        let now = 0;
        for (const pause of asked) {
          now += pause;
          moments.push(nextMoment(moments, allowed, now));
        }
        for (const from of moments) {
          const within = moments.filter((moment) => moment >= from && moment < from + periodOf(allowed));
          expect(within.length).toBeLessThanOrEqual(allowed.count);
        }
      }),
    );
  });
});
