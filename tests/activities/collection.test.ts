// The whole collection of real mails, and damaged copies of them, through the road from a real mailbox: each is kept and
// shown, or set aside where everybody sees it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Attachment, Message } from '#domain/conversations/message.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { fixturePaths } from '../rules/fixture-mail.ts';
import { Dovecot } from '../support/dovecot.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { type Company, Road } from '../support/road.ts';

const FIXTURES = path.join(import.meta.dirname, '../fixtures/mail');
const FILES = fixturePaths();
/** With the real ones, two hundred. */
const DAMAGED = 200 - FILES.length;
const ADDRESS = 'support@acme.test';

let road: Road;
let dovecot: Dovecot;
let acme: Company;
/** By the number of its mail in the mailbox, beginning with 1. */
const receipts = new Map<number, Receipt>();

beforeAll(async () => {
  [road, dovecot] = await Promise.all([Road.open(), Dovecot.open()]);
  acme = await road.company('acme');
  dovecot.addUser(ADDRESS);
  const originals = FILES.map((file) => readFileSync(path.join(FIXTURES, file)));
  const damaged = Array.from({ length: DAMAGED }, (_, at) => damage(originals[at % originals.length]!, at));
  dovecot.append(ADDRESS, [...originals, ...damaged]);
  const boxes = new Mailboxes(road, dovecot);
  await boxes.connect(acme, { address: ADDRESS });
  await boxes.settled(acme, 180_000);
  for (const receipt of await inAcme((em) => em.find(Receipt, {}))) receipts.set(receipt.origin.uid!, receipt);
}, 240_000);

afterAll(async () => {
  await road?.close();
  await dovecot?.stop();
});

const inAcme = <Result>(work: Parameters<typeof road.db.database.inTenant<Result>>[1]) =>
  road.db.database.inTenant(acme.tenantId, work);

/** The same damage each time: bytes changed, a piece left out, or the end cut off. */
function damage(original: Buffer, seed: number): Buffer {
  const dice = createHash('sha512').update(`damage ${seed}`).digest();
  const place = (at: number) => dice.readUInt32LE(at * 4) % Math.max(1, original.length);
  const raw = Buffer.from(original);
  if (seed % 3 === 0) return raw.subarray(0, place(0));
  if (seed % 3 === 1) return Buffer.concat([raw.subarray(0, place(0)), raw.subarray(place(1))]);
  for (let at = 0; at < 8; at += 1) raw[place(at)] = dice[32 + at]!;
  return raw;
}

describe('a mailbox full of corner cases', () => {
  test('has every mail fetched', () => {
    expect([...receipts.keys()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: FILES.length + DAMAGED }, (_, at) => at + 1),
    );
  });

  test.each(FILES.map((file, at) => [file, at + 1] as const))('shows what became of %s', async (_file, uid) => {
    const receipt = receipts.get(uid)!;
    // Several of the collection are one mail in different clothes: which of them came first is left open.
    const isOneOfSeveral = receipt.messageId != null && timesKept(receipt.messageId) > 1;
    const seen = await inAcme(async (em) => {
      const message = await em.findOne(Message, { id: receipt.messageId ?? receipt.id });
      const files = await em.find(Attachment, { messageId: message?.id ?? receipt.id }, { orderBy: { name: 'asc' } });
      return {
        state: receipt.state,
        problem: receipt.problem ?? null,
        kind: message && `${message.kind}: ${message.kindReason}`,
        from: message && `${message.sender.name ?? ''} <${message.sender.address ?? ''}>`,
        subject: message?.subject ?? null,
        begins: message?.newText.slice(0, 60) ?? null,
        files: isOneOfSeveral
          ? 'one mail in several forms'
          : files.map(({ name, type, size }) => `${name} (${type}, ${size})`),
      };
    });
    expect(seen).toMatchSnapshot();
  });

  test('has none that is neither shown nor set aside', async () => {
    const lost: number[] = [];
    const setAside = await acme.owner.api.listSetAside({ query: {} });
    for (const [uid, { id, state, messageId }] of receipts) {
      const shown = messageId ? await isShown(messageId) : false;
      const waits = state === 'set_aside' && setAside.items.some((item) => item.id === id);
      if (!shown && !waits) lost.push(uid);
    }
    expect(lost).toEqual([]);
  });
});

function timesKept(messageId: string): number {
  return [...receipts.values()].filter((receipt) => receipt.messageId === messageId).length;
}

/** As an agent sees it: in the thread of its conversation. */
async function isShown(messageId: string): Promise<boolean> {
  const { conversationId } = await inAcme((em) => em.findOneOrFail(Message, { id: messageId }));
  const { messages } = await acme.owner.api.getConversation({ params: { id: conversationId } });
  return messages.some(({ id }) => id === messageId);
}
