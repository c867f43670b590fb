// Answers that come back without a single Message-ID, to the address our mail asked to be answered at.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Message } from '#domain/conversations/message.ts';
import { Step } from '#domain/record/step.ts';
import { Answers } from '../support/answers.ts';
import { mail } from '../support/mails.ts';
import { type Company, type Person, Road } from '../support/road.ts';

let road: Road;
let acme: Company;
let maya: Person;
let admin: Person;
let mailbox: string;
let answers: Answers;

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  maya = await road.person(acme, 'agent', 'Maya');
  admin = await road.person(acme, 'admin', 'Ada');
  mailbox = await road.mailbox(acme, 'support@acme.test');
  answers = new Answers(road, acme, mailbox);
});

afterAll(() => road?.close());

async function answered() {
  const { from, conversationId, inState, mails } = await answers.write(maya);
  await inState('sent');
  return { from, conversationId, source: mails()[0]!.source };
}

async function received(raw: string) {
  const receiptId = await road.receiveMail(acme, mailbox, raw);
  await road.runOf(acme, receiptId);
  return road.db.database.inTenant(acme.tenantId, async (em) => {
    const message = await em.findOneOrFail(Message, { receiptId });
    const step = await em.findOneOrFail(Step, { messageId: message.id, name: 'recordMessage' });
    return { message, recorded: step };
  });
}

function replyToOf(source: string): string | null {
  return /^Reply-To: .*<([^>]+)>\r$/m.exec(source)?.[1] ?? null;
}

test('a mailbox whose server is not known to take them asks for nothing of the kind', async () => {
  expect(replyToOf((await answered()).source)).toBeNull();
});

test('a mail to it joins the conversation, from whoever was shown it', async () => {
  await admin.api.changeIntegration({ params: { id: mailbox }, body: { subaddresses: true } });
  const { from, conversationId, source } = await answered();
  const address = replyToOf(source)!;
  expect(address).toMatch(/^support\+r\.[0-9a-f]{32}@acme\.test$/);

  const back = await received(mail({ from, to: address, subject: 'Rien à voir' }));
  expect(back.message).toMatchObject({ conversationId, recipients: ['support@acme.test'], kind: 'personal' });
  expect(back.recorded).toMatchObject({ outcome: 'joined', facts: { by: 'reply-address' } });

  const colleague = await received(
    mail({ from: 'tom@elsewhere.test', to: 'list@elsewhere.test', headers: { 'Delivered-To': address.toUpperCase() } }),
  );
  expect(colleague.message.conversationId).toBe(conversationId);
});

test('an address somebody made up joins nothing', async () => {
  const { conversationId } = await answered();
  const made = `support+r.${'0'.repeat(32)}@acme.test`;
  const first = await received(mail({ from: 'mallory@elsewhere.test', to: made }));
  const second = await received(mail({ from: 'eve@elsewhere.test', to: made }));
  expect(new Set([conversationId, first.message.conversationId, second.message.conversationId]).size).toBe(3);
});
