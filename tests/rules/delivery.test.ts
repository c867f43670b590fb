import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type DeliveryReceiptFacts, deliveryOf, RECEIPT_STATUSES, receiptStatus } from '#domain/rules/delivery.ts';

const receipt = fc.record({
  status: fc.constantFrom(...RECEIPT_STATUSES),
  failure: fc.constantFrom(null, 'Absent', 'Rejected'),
});

describe('the delivery of a message', () => {
  test('is the same in every order of its receipts, however often each came', () => {
    fc.assert(
      fc.property(fc.array(receipt, { maxLength: 6 }), fc.infiniteStream(fc.nat(5)), (receipts, picks) => {
        const standing = deliveryOf(receipts);
        const shuffled = [...receipts].sort(() => picks.next().value! - 2);
        expect(deliveryOf(shuffled)).toEqual(standing);
        expect(deliveryOf([...receipts, ...shuffled])).toEqual(standing);
      }),
    );
  });

  test.each<[string[], object]>([
    [[], { delivery: null, failure: null, failed: false }],
    [['submitted'], { delivery: 'submitted', failure: null, failed: false }],
    [['read', 'submitted'], { delivery: 'read', failure: null, failed: false }],
    [['submitted', 'failed'], { delivery: 'submitted', failure: 'Absent', failed: true }],
    [['failed', 'delivered'], { delivery: 'delivered', failure: 'Absent', failed: false }],
  ])('after %j is said as it is', (statuses, standing) => {
    const receipts = statuses.map((status) => ({ status, failure: status === 'failed' ? 'Absent' : null }));
    expect(deliveryOf(receipts as DeliveryReceiptFacts[])).toEqual(standing);
  });

  test.each([
    ['submitted', 'submitted'],
    ['DELIVERED', 'delivered'],
    ['read', 'read'],
    ['rejected', 'failed'],
    ['undeliverable', 'failed'],
    ['expired', 'failed'],
    ['unknown', null],
    ['constructor', null],
  ])('hears %s as %s', (word, status) => {
    expect(receiptStatus(word)).toBe(status);
  });
});
