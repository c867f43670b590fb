// How far an SMS or a WhatsApp message came, from receipts that arrive in any order and any number of times. What is
// known is the set of receipts; the standing is read from that set, so no order can matter.

/** Vonage's words, of the Messages API and of the SMS API, as ours. */
const MEANINGS = new Map<string, ReceiptStatus>(
  Object.entries({
    submitted: 'submitted',
    accepted: 'submitted',
    buffered: 'submitted',
    delivered: 'delivered',
    read: 'read',
    rejected: 'failed',
    undeliverable: 'failed',
    failed: 'failed',
    expired: 'failed',
  }),
);

export const RECEIPT_STATUSES = ['submitted', 'delivered', 'read', 'failed'] as const;
export type ReceiptStatus = (typeof RECEIPT_STATUSES)[number];

export const DELIVERIES = ['submitted', 'delivered', 'read'] as const;
export type Delivery = (typeof DELIVERIES)[number];

export type DeliveryReceiptFacts = { status: ReceiptStatus; failure: string | null };

export type DeliveryStanding = {
  /** The furthest that is proven. */
  delivery: Delivery | null;
  /** Kept even when a later receipt proves that it arrived. */
  failure: string | null;
  /** It failed and nothing proves that it arrived: a person must see it. */
  failed: boolean;
};

/** @returns null for words that say nothing of the delivery */
export function receiptStatus(word: string): ReceiptStatus | null {
  return MEANINGS.get(word.toLowerCase()) ?? null;
}

export function deliveryOf(receipts: readonly DeliveryReceiptFacts[]): DeliveryStanding {
  const has = (status: ReceiptStatus) => receipts.some((receipt) => receipt.status === status);
  const delivery = has('read') ? 'read' : has('delivered') ? 'delivered' : has('submitted') ? 'submitted' : null;
  const failures = receipts.filter(({ status }) => status === 'failed').map(({ failure }) => failure ?? '');
  return {
    delivery,
    failure: failures.length > 0 ? failures.sort()[0]! : null,
    failed: failures.length > 0 && delivery !== 'delivered' && delivery !== 'read',
  };
}
