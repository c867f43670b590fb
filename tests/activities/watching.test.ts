// Mailboxes whose server tells of new mail: no schedule fires within these tests but for the first look.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { workflowIds } from '#workflows/contract.ts';
import { CuttableLine, Dovecot } from '../support/dovecot.ts';
import { Mailboxes } from '../support/mailboxes.ts';
import { mail } from '../support/mails.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

let road: Road;
let dovecot: Dovecot;
let boxes: Mailboxes;
let acme: Company;
let globex: Company;
let line: CuttableLine;
let idles = 0;

beforeAll(async () => {
  [road, dovecot] = await Promise.all([Road.open({ watchers: 2 }), Dovecot.open()]);
  boxes = new Mailboxes(road, dovecot);
  acme = await road.company('acme');
  globex = await road.company('globex');
});

beforeEach(async () => {
  line = await CuttableLine.to(dovecot.port);
  idles = 0;
  line.onAsked = (words) => {
    if (/^\S+ IDLE\r\n/.test(words)) idles += 1;
  };
});

afterEach(() => line.close());

afterAll(async () => {
  await road?.close();
  await dovecot?.stop();
});

/** Connected through the line, and watched. */
async function watched(company: Company, address: string): Promise<string> {
  dovecot.addUser(address);
  const id = await boxes.connect(company, { address, port: line.port });
  await until('it is watched', () => idles > 0);
  return id;
}

const arrives = (company: Company, subject: string) =>
  until(`${subject} is there`, async () => (await boxes.subjects(company)).includes(subject), 30_000);

function watchOf(company: Company, id: string) {
  return road.temporal.client.workflow.getHandle(workflowIds.watchMailbox(company.tenantId, id));
}

describe('a watched mailbox', () => {
  test('has its new mail read without its schedule, over one connection whoever watches', async () => {
    await watched(acme, 'veille@acme.test');
    dovecot.append('veille@acme.test', [mail({ subject: 'Un', from: 'a@example.com' })]);
    await arrives(acme, 'Un');
    dovecot.append('veille@acme.test', [
      mail({ subject: 'Deux', from: 'b@example.com' }),
      mail({ subject: 'Trois', from: 'c@example.com' }),
    ]);
    await Promise.all([arrives(acme, 'Deux'), arrives(acme, 'Trois')]);
    expect(idles).toBe(1);
    expect(await boxes.subjects(globex)).toEqual([]);
  });

  test('is watched again when its server comes back, and what came meanwhile is read', async () => {
    await watched(acme, 'retour@acme.test');
    await dovecot.kill();
    dovecot.append('retour@acme.test', [mail({ subject: 'Pendant la panne', from: 'd@example.com' })]);
    await dovecot.start();
    await arrives(acme, 'Pendant la panne');
    await until('it is watched again', () => idles > 1);
    dovecot.append('retour@acme.test', [mail({ subject: 'Après la panne', from: 'e@example.com' })]);
    await arrives(acme, 'Après la panne');
  });

  test('that is paused is left alone, and watched again once it is resumed', async () => {
    const id = await watched(acme, 'pause@acme.test');
    const params = { id };
    await acme.owner.api.changeIntegration({ params, body: { state: 'paused' } });
    await until('nobody is connected', () => line.idle, 30_000);
    const ended = await watchOf(acme, id).describe();
    expect(ended.status.name).toBe('CANCELLED');
    await acme.owner.api.changeIntegration({ params, body: { state: 'active' } });
    await until('it is watched again', () => idles > 1);
  });

  test('that is removed is watched no more', async () => {
    const id = await watched(acme, 'retrait@acme.test');
    await acme.owner.api.removeIntegration({ params: { id } });
    await until('nobody is connected', () => line.idle, 30_000);
    await expect(watchOf(acme, id).result()).rejects.toThrow(/cancelled/i);
  });

  test('whose password was changed asks for a person, and is not tried again by itself', async () => {
    const id = await watched(acme, 'refus@acme.test');
    await dovecot.changePassword('refus@acme.test', 'other');
    line.cut();
    expect(await watchOf(acme, id).result()).toBe('refused');
    await until('a person is asked for', async () => (await boxes.row(acme, id)).state === 'reconnect');
    await until('nobody is connected', () => line.idle);
  });
});

describe('a server that does not tell of new mail', () => {
  test('is not asked to, until the settings change', async () => {
    line.rewrite = (words) => words.replaceAll(' IDLE', '');
    const address = 'muet@acme.test';
    dovecot.addUser(address);
    const id = await boxes.connect(acme, { address, port: line.port });
    expect(await watchOf(acme, id).result()).toBe('not-offered');
    line.rewrite = (words) => words;
    await acme.owner.api.changeIntegration({ params: { id }, body: { name: 'Muet' } });
    await until('it is watched', () => idles > 0);
  });
});
