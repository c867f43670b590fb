import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { contract } from '#api/contract/contract.ts';
import type { Answer } from '#api/contract/route.ts';
import { type Company, type Person, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

type FileView = Answer<(typeof contract)['getConversation']>['messages'][number]['attachments'][number];

let road: Road;
let acme: Company;
let globex: Company;
let maya: Person;
let webhook: { id: string; secret: string };

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  maya = await road.person(acme, 'agent', 'Maya');
  const created = await acme.owner.api.createWebhook({ body: { name: 'Boutique' } });
  webhook = { id: created.integration.id, secret: created.secret };
});

afterAll(() => road?.close());

/** What comes with one message, as the agents' screen lists it. */
async function receive(from: string, files: { name: string; content: Buffer }[]): Promise<FileView[]> {
  const attachments = files.map(({ name, content }) => ({ name, content: content.toString('base64') }));
  await road.deliver(webhook, { from: { email: from }, text: 'Voici', attachments });
  const view = await until('it is recorded', async () => {
    const { items } = await maya.api.listConversations({ query: { place: 'all' } });
    const row = items.find((item) => item.client.contact === from);
    return row && maya.api.getConversation({ params: { id: row.id } });
  });
  return view.messages[0]!.attachments;
}

function download(file: FileView, person: Person, query = ''): Promise<Response> {
  return fetch(`${road.url}/inbox/attachments/${file.id}${query}`, { headers: { cookie: person.cookie } });
}

describe('a file no client needs to send', () => {
  const program = Buffer.from('MZ, says the program');
  let file: FileView;

  beforeAll(async () => {
    [file] = (await receive('virus@example.com', [{ name: 'facture.pdf.exe', content: program }])) as [FileView];
  });

  test('is listed with its reason', () => {
    expect(file).toMatchObject({ name: 'facture.pdf.exe', verdict: 'blocked', verdictReason: expect.any(String) });
  });

  test('is not given to an agent, with the warning read or not', async () => {
    for (const query of ['', '?anyway', '?inline', '?inline&anyway']) {
      const answer = await download(file, maya, query);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ code: 'attachment.kept-back' });
    }
  });

  test('is given to an admin after the warning, as a download, and that is on record', async () => {
    expect((await download(file, acme.owner)).status).toBe(403);
    const answer = await download(file, acme.owner, '?anyway&inline');
    expect(Buffer.from(await answer.arrayBuffer()).equals(program)).toBe(true);
    expect(answer.headers.get('content-disposition')).toContain('attachment;');
    expect(answer.headers.get('cache-control')).toContain('no-store');
    const { items } = await acme.owner.api.listAuditEvents({ query: { subjectId: file.id } });
    expect(items.map((event) => [event.action, event.actorKind])).toEqual([
      ['attachment.downloaded_anyway', 'person'],
      ['attachment.blocked', 'system'],
    ]);
  });

  test('is not there for another company, whatever its admin has read', async () => {
    expect((await download(file, globex.owner, '?anyway')).status).toBe(404);
  });
});

test('an ordinary file is given to every agent', async () => {
  const content = Buffer.from('a;b;c');
  const [file] = await receive('csv@example.com', [{ name: 'prix.csv', content }]);
  expect(file).toMatchObject({ verdict: 'clean', verdictReason: null });
  expect(Buffer.from(await (await download(file!, maya)).arrayBuffer()).equals(content)).toBe(true);
});
