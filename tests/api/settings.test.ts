import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mail } from '../support/mails.ts';
import { ModelServer } from '../support/model-server.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let model: ModelServer;
let acme: Company;

beforeAll(async () => {
  [road, model] = await Promise.all([Road.open(), ModelServer.open()]);
  acme = await road.company('acme');
});

afterAll(async () => {
  await road?.close();
  await model?.close();
});

const refusalOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error) => error.problem,
  );

describe('the model', () => {
  const change = (body: NonNullable<Parameters<Company['owner']['api']['changeAnswering']>[0]>['body']) =>
    acme.owner.api.changeAnswering({ body });

  test('is switched on with a prompt and a key only', async () => {
    expect(await refusalOf(change({ modelEnabled: true }))).toMatchObject({ code: 'answering.no-key' });
    expect(await refusalOf(change({ modelEnabled: true, modelKey: 'sk' }))).toMatchObject({
      code: 'answering.no-prompt',
    });
    expect(await acme.owner.api.getAnswering()).toMatchObject({ modelEnabled: false, hasModelKey: false });
    const on = await change({ modelEnabled: true, modelKey: 'sk', prompt: 'Acme.', modelBaseUrl: model.url });
    expect(on).toMatchObject({ modelEnabled: true, hasModelKey: true });
    expect(JSON.stringify(on)).not.toContain('sk"');
  });

  test('does not have its key sent to another server', async () => {
    expect(await refusalOf(change({ modelBaseUrl: 'https://elsewhere.test/v1' }))).toMatchObject({
      code: 'answering.key-needed',
    });
    expect(await acme.owner.api.getAnswering()).toMatchObject({ modelBaseUrl: model.url });
    await change({ modelBaseUrl: `${model.url}/v2` });
    await change({ modelBaseUrl: model.url });
  });

  test('whose key is gone stops no message: the rules sort it', async () => {
    const support = await road.mailbox(acme, 'support@acme.test');
    await acme.owner.api.createFolder({
      body: { name: 'Commandes', rules: [{ field: 'content', operator: 'contains', value: 'commande' }] },
    });
    await road.db.owner.query("delete from credential where name = 'model-key'");
    const receipt = await road.receiveMail(acme, support, mail({ from: 'sans-cle@example.com' }));
    expect(await road.runOf(acme, receipt)).toMatchObject({ stage: 'no-reply' });
    const { items } = await acme.owner.api.listConversations({ query: { place: 'inbox' } });
    expect(items.find((item) => item.client.contact === 'sans-cle@example.com')?.sortedBy).toBe('rule');
  });
});

describe('a folder that is removed', () => {
  test('leaves its conversations to the other rules', async () => {
    const { folders } = await acme.owner.api.listFolders();
    const fallback = await acme.owner.api.createFolder({
      body: { name: 'Tout', rules: [{ field: 'content', operator: 'contains', value: 'bonjour' }] },
    });
    await acme.owner.api.removeFolder({ params: { id: folders[0]!.id } });
    await until('they are sorted again', async () => {
      const { items } = await acme.owner.api.listConversations({ query: { folderId: fallback.id } });
      return items.some((item) => item.client.contact === 'sans-cle@example.com');
    });
  });
});

describe('a mailbox', () => {
  test('is never asked for a password that would cross the network in clear', async () => {
    const server = { host: 'mail.example.com', port: 143, security: 'none' as const, username: 'a' };
    const problem = await refusalOf(
      acme.owner.api.tryMailbox({
        body: { address: 'a@example.com', password: 'secret', imap: server, smtp: server },
      }),
    );
    expect(problem).toMatchObject({ status: 400 });
    expect(problem.errors.map((fault: { path: string }) => fault.path)).toEqual([
      'body.imap.security',
      'body.smtp.security',
    ]);
  });
});

describe('the opening hours', () => {
  const set = (body: NonNullable<Parameters<Company['owner']['api']['setBusinessHours']>[0]>['body']) =>
    acme.owner.api.setBusinessHours({ body });
  const mornings = { '1': [{ from: '09:00', to: '12:00' }] };

  test('are Monday to Friday, until an admin says otherwise', async () => {
    const { days, timeZone } = await acme.owner.api.getBusinessHours();
    expect(Object.keys(days)).toEqual(['1', '2', '3', '4', '5']);
    expect(timeZone).toBe('Europe/Paris');
    const hours = {
      timeZone: 'America/Montreal',
      days: mornings,
      holidays: ['2026-12-25', '2026-01-01', '2026-12-25'],
    };
    expect(await set(hours)).toEqual({ ...hours, holidays: ['2026-01-01', '2026-12-25'] });
    expect(await acme.owner.api.getBusinessHours()).toMatchObject({ timeZone: 'America/Montreal', days: mornings });
    const { items } = await acme.owner.api.listAuditEvents({ query: { action: 'business_hours.changed' } });
    expect(items).toMatchObject([{ before: { timeZone: 'Europe/Paris' }, after: { timeZone: 'America/Montreal' } }]);
  });

  test.each([
    ['that end before they begin', { days: { '1': [{ from: '12:00', to: '09:00' }] } }],
    ['that overlap', { days: { '1': [...mornings['1'], { from: '11:00', to: '13:00' }] } }],
    ['in a time zone that is none', { timeZone: 'Atlantis' }],
  ])('%s are refused', async (_what, part) => {
    const problem = await refusalOf(set({ timeZone: 'Europe/Paris', days: mornings, holidays: [], ...part }));
    expect(problem).toMatchObject({ status: 400, code: 'request.not-valid' });
  });

  test('are what a folder’s follow-up waits for', async () => {
    // One hour of the week, and never the present one.
    const day = new Date(Date.now() + 3 * 86_400_000);
    const weekday = String(day.getUTCDay() || 7) as '1';
    await set({ timeZone: 'UTC', days: { [weekday]: [{ from: '10:00', to: '11:00' }] }, holidays: [] });
    const support = await road.mailbox(acme, 'relances@acme.test');
    const rules = [{ field: 'subject', operator: 'contains', value: 'relance' }] as const;
    await acme.owner.api.createFolder({
      body: { name: 'Relances', followUpMode: 'remind', followUpAfterSeconds: 60, rules: [...rules] },
    });
    const receipt = await road.receiveMail(
      acme,
      support,
      mail({ from: 'relance@example.com', subject: 'relance', text: 'Quand venez-vous ?' }),
    );
    await road.runOf(acme, receipt);
    const { items } = await acme.owner.api.listConversations({ query: { place: 'inbox' } });
    const { id } = items.find((item) => item.client.contact === 'relance@example.com')!;
    await acme.owner.api.writeReply({ params: { id }, body: { text: 'Bonjour' } });
    const [armed] = await until('it is armed', async () => {
      const { followUps } = await acme.owner.api.getConversation({ params: { id } });
      return followUps.length > 0 && followUps;
    });
    day.setUTCHours(10, 0, 0, 0);
    expect(armed!.dueAt).toBe(day.toISOString());
  });
});
