// From the arrival of a message at the webhook to its folder in the database, one message at a time, everything else idle.
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchHouse } from './house.ts';
import { messageBody, signedHeaders } from './messages.ts';

const NOT_COUNTED = 5;
const LOOK_EVERY_MS = 2;
const SORTED_WITHIN_MS = 20_000;
const PAUSE_MS = 150;

/** @returns milliseconds, from just before the request is sent */
export async function measureArrivals(house: BenchHouse, samples: number): Promise<number[]> {
  const took: number[] = [];
  for (let number = 1; number <= NOT_COUNTED + samples; number += 1) {
    took.push(await untilSorted(house, `arrival-${number}`));
    // Of varying length, so that no rhythm of ours meets one of the relay's.
    await delay(PAUSE_MS * (1 + Math.random()));
  }
  return took.slice(NOT_COUNTED);
}

async function untilSorted({ company, owner }: BenchHouse, key: string): Promise<number> {
  const { secret, url } = company.webhook;
  const body = messageBody(key);
  const began = performance.now();
  const answer = await fetch(url, { method: 'POST', headers: signedHeaders(secret, body, key), body });
  if (answer.status !== 202) throw new Error(`The webhook answered ${answer.status}: ${await answer.text()}`);
  while (performance.now() - began < SORTED_WITHIN_MS) {
    const { rowCount } = await owner.query(
      `select from receipt
         join message on message.id = receipt.message_id
         join conversation on conversation.id = message.conversation_id
        where receipt.tenant_id = $1 and receipt.integration_id = $2 and receipt.source_id = $3
          and conversation.folder_id is not null`,
      [company.tenantId, company.webhook.id, key],
    );
    if (rowCount === 1) return performance.now() - began;
    await delay(LOOK_EVERY_MS);
  }
  throw new Error(`The message ${key} was not sorted within ${SORTED_WITHIN_MS} ms.`);
}
