import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Reply } from '#domain/conversations/reply.ts';
import { workflowIds } from '#workflows/contract.ts';
import { Dovecot } from '../support/dovecot.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { bounceOf, mail } from '../support/mails.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let dovecot: Dovecot;
let boxes: Mailboxes;
let acme: Company;
let globex: Company;
let maya: Person;
let id: string;

const ADDRESS = 'support@acme.test';

beforeAll(async () => {
  [road, dovecot] = await Promise.all([Road.open(), Dovecot.open()]);
  boxes = new Mailboxes(road, dovecot);
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  await acme.owner.api.createArticle({ body: { title: 'Commande', text: 'Trois jours ouvrés.', language: 'fr' } });
  await acme.owner.api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'validation',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
    },
  });
  dovecot.addUser(ADDRESS);
  id = await boxes.connect(acme, { address: ADDRESS, senderName: 'Support Acme' });
});

afterEach(() => {
  road.sink.onAccepted = () => {};
  road.sink.faults.length = 0;
});

afterAll(async () => {
  await road?.close();
  await dovecot?.stop();
});

const olderThan = (from: string) => `${from}-older@example.com`;

/** A client writes, the mailbox is read, and a draft waits. */
async function question(from: string, subject = `Question de ${from}`) {
  const messageId = `${from}-question@example.com`;
  dovecot.append(ADDRESS, [
    mail({ from: `Camille <${from}>`, subject, id: messageId, headers: { References: `<${olderThan(from)}>` } }),
  ]);
  await boxes.sync(acme, id);
  const conversation = await until(`a draft waits for ${from}`, async () => {
    const { items } = await maya.api.listConversations({ query: { place: 'to-approve' } });
    const row = items.find((item) => item.client.contact === from);
    return row && maya.api.getConversation({ params: { id: row.id } });
  });
  return { from, messageId, conversation };
}

async function approve({ conversation }: Awaited<ReturnType<typeof question>>) {
  const { id: draftId, version } = conversation.draft!;
  const { replyId } = await maya.api.approveDraft({ params: { id: draftId }, body: { version } });
  const row = () => road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Reply, { id: replyId }));
  const inState = (state: Reply['state'], withinMs?: number) =>
    until(
      `the reply is ${state}`,
      async () => {
        const reply = await row();
        return reply.state === state && reply;
      },
      withinMs,
    );
  return { replyId, row, inState };
}

const sentCopies = (subject: string) =>
  dovecot.mails(ADDRESS, 'Sent').filter((one) => one.raw.includes(`Subject: ${subject}`));

describe('a reply that an agent approved', () => {
  test('leaves by the mailbox’s own server, in its thread, and a copy lies in Sent, once and read', async () => {
    const asked = await question('camille@example.com', 'Ma commande');
    const { inState } = await approve(asked);
    const { messageIdHeader } = await inState('sent');
    const [sent, ...more] = road.sink.to(asked.from);
    expect(more).toEqual([]);
    expect(sent?.from).toBe(ADDRESS);
    expect(sent?.mail).toMatchObject({
      subject: 'Re: Ma commande',
      messageId: `<${messageIdHeader}>`,
      inReplyTo: `<${asked.messageId}>`,
      references: [`<${olderThan(asked.from)}>`, `<${asked.messageId}>`],
    });
    expect(sent?.mail.from?.text).toBe('"Support Acme" <support@acme.test>');
    expect(sent?.mail.text).toContain('Trois jours ouvrés.');
    const copies = await until('a copy is filed', () => {
      const found = sentCopies('Re: Ma commande');
      return found.length > 0 && found;
    });
    expect(copies).toMatchObject([{ seen: true, raw: expect.stringContaining(messageIdHeader) }]);
  });

  test('is answered by the client in the same conversation, whatever the subject has become', async () => {
    const asked = await question('zoe@example.com');
    const { messageIdHeader } = await (await approve(asked)).inState('sent');
    dovecot.append(ADDRESS, [
      mail({
        from: asked.from,
        subject: 'Tout autre chose',
        headers: { References: `<other@example.com> <${messageIdHeader}>` },
      }),
    ]);
    await boxes.sync(acme, id);
    const after = await maya.api.getConversation({ params: { id: asked.conversation.id } });
    expect(after.messages.map((message) => [message.direction, message.subject])).toEqual([
      ['inbound', asked.conversation.subject],
      ['outbound', `Re: ${asked.conversation.subject}`],
      ['inbound', 'Tout autre chose'],
    ]);
  });

  test('is not filed a second time where the server files it itself', async () => {
    dovecot.filesWhatIsSentBy(road.sink);
    const asked = await question('lea@example.com');
    await (await approve(asked)).inState('sent');
    // The run ends after the copy was seen to.
    const [run] = (await maya.api.listSteps({ params: { id: asked.conversation.id } })).runs;
    await road.temporal.client.workflow.getHandle(run!.runId).result();
    expect(sentCopies(`Re: ${asked.conversation.subject}`)).toHaveLength(1);
  });

  test('that comes back as undeliverable is marked, in its own conversation', async () => {
    const asked = await question('partie@example.com');
    const { inState } = await approve(asked);
    const { messageIdHeader } = await inState('sent');
    dovecot.append(ADDRESS, [bounceOf(messageIdHeader, asked.from)]);
    await boxes.sync(acme, id);
    expect(await inState('failed')).toMatchObject({ failure: 'bounced', lastResponse: '5.1.1' });
    const { messages } = await maya.api.getConversation({ params: { id: asked.conversation.id } });
    expect(messages.map((message) => message.kind)).toEqual(['personal', 'personal', 'bounce']);
  });

  test('cannot be seen, approved or judged by another company', async () => {
    const asked = await question('secret@example.com');
    const { id: draftId, version } = asked.conversation.draft!;
    await expect(globex.owner.api.approveDraft({ params: { id: draftId }, body: { version } })).rejects.toMatchObject({
      problem: { status: 404 },
    });
    const { replyId, inState } = await approve(asked);
    await inState('sent');
    await expect(
      globex.owner.api.judgeReply({ params: { id: replyId }, body: { verdict: 'send-again' } }),
    ).rejects.toMatchObject({ problem: { status: 404 } });
    expect(road.sink.to(asked.from)).toHaveLength(1);
  });
});

describe('a reply whose outcome is unknown', () => {
  test('is found in Sent and recorded as sent, without a second mail', async () => {
    const asked = await question('incertaine@example.com');
    dovecot.filesWhatIsSentBy(road.sink);
    road.sink.faults.push({ at: 'dot', lost: 'after-accepting' });
    const { replyId, inState } = await approve(asked);
    expect(await inState('sent', 20_000)).toMatchObject({
      attempts: 1,
      lastResponse: 'Found in the Sent folder.',
      failure: null,
    });
    const run = road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, replyId));
    expect(await run.result()).toEqual({ state: 'sent' });
    expect(road.sink.to(asked.from)).toHaveLength(1);
    expect(sentCopies(`Re: ${asked.conversation.subject}`)).toHaveLength(1);
  });

  test.each([
    ['send-again', 'before-accepting', 'renvoyee@example.com'],
    ['it-was-sent', 'after-accepting', 'confirmee@example.com'],
  ] as const)('and that Sent does not show stays so until a person says %s', async (verdict, lost, from) => {
    const asked = await question(from);
    road.sink.faults.push({ at: 'dot', lost });
    const { replyId, row, inState } = await approve(asked);
    await inState('unknown');
    await until('it was looked for in Sent', async () => {
      const handle = road.temporal.client.workflow.getHandle(workflowIds.sendReply(acme.tenantId, replyId));
      const { events } = await handle.fetchHistory();
      const names = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      return names?.includes('lookUpReply') && events?.at(-1)?.timerStartedEventAttributes;
    });
    expect(await row()).toMatchObject({ state: 'unknown', attempts: 1 });
    await maya.api.judgeReply({ params: { id: replyId }, body: { verdict } });
    await inState('sent');
    expect(road.sink.to(from)).toHaveLength(1);
  });
});
