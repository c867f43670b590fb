// What can go wrong between us and a store on the net, and how removing and keeping give way to each other.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { placeOf } from '#domain/attachments/attachment-store.ts';
import { storeFault } from '#domain/attachments/s3-faults.ts';
import { S3Store } from '#domain/attachments/s3-store.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { type S3Fault, S3Server, SLOW_DOWN } from '../support/s3-server.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3600_000;

let server: S3Server;
let store: S3Store;
const acme = newId();
const folder = path.join(process.env.TEST_HOME!, 'files', newId());
const where = () => new URL(server.settings().endpoint!).host;

beforeAll(async () => {
  server = await S3Server.open();
  store = server.store();
});

beforeEach(() => {
  server.calls.length = 0;
  server.faults.length = 0;
});

afterAll(() => server?.close());

describe('a store that is away for a moment', () => {
  test('is asked again, and nobody notices', async () => {
    server.faults.push(SLOW_DOWN, { status: 500, code: 'InternalError' });
    const content = randomBytes(1_000);
    const sha256 = await store.keep(acme, content);
    server.faults.push('hangs-up');
    expect(await buffer(store.read(acme, sha256))).toEqual(content);
  });

  test.each<[string, S3Fault]>([
    ['has too much to do', SLOW_DOWN],
    ['fails', { status: 500, code: 'InternalError' }],
    ['hangs up', 'hangs-up'],
  ])('and %s for longer is one that does not answer', async (_what, fault) => {
    server.faults.push(fault, fault, fault);
    await expect(store.keep(acme, randomBytes(10))).rejects.toMatchObject({
      name: 'StoreUnavailable',
      needsPerson: false,
      message: expect.stringContaining(`The file store at ${where()} does not answer for now (`),
    });
  });

  test('is not taken for one that has lost a file', async () => {
    const sha256 = await store.keep(acme, randomBytes(10));
    server.faults.push(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN);
    await expect(store.has(acme, sha256)).rejects.toMatchObject({ name: 'StoreUnavailable' });
    server.faults.push(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN);
    await expect(buffer(store.read(acme, sha256))).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });

  test('and breaks off within a file breaks off what is read', async () => {
    const sha256 = await store.keep(acme, randomBytes(1_000_000));
    server.faults.push('breaks-off');
    await expect(buffer(store.read(acme, sha256))).rejects.toMatchObject({ name: 'StoreUnavailable' });
  });
});

test('a file nobody wants to read on gives its connection back', async () => {
  const own = server.store();
  const sha256 = await own.keep(acme, randomBytes(20_000_000));
  const before = await server.connections;
  const bytes = own.read(acme, sha256);
  await new Promise((resolve) => bytes.once('readable', resolve));
  bytes.destroy();
  await until('its connection is closed', async () => (await server.connections) < before);
});

describe('settings that are wrong', () => {
  test.each([
    ['the key', { accessKeyId: 'SOMEBODY' }, 'does not know this key: correct S3_ACCESS_KEY_ID.'],
    ['its secret', { secretAccessKey: 'guessed' }, 'the secret is not that of the key: correct S3_SECRET_ACCESS_KEY.'],
    ['the bucket', { bucket: 'nobodys' }, 'has no bucket “nobodys”: create it, or correct S3_BUCKET'],
  ])('are told by what is to be corrected: %s', async (_what, wrong, sentence) => {
    const told = await server
      .store(wrong)
      .check()
      .catch((error) => error);
    expect(told).toMatchObject({ name: 'StoreUnavailable', needsPerson: true });
    expect(told.message).toContain(where());
    expect(told.message).toContain(sentence);
  });

  test.each([
    ['AccessDenied', 403, 'give the key s3:ListBucket, s3:GetObject'],
    ['PermanentRedirect', 301, 'lies in another region'],
    ['AuthorizationHeaderMalformed', 400, 'correct S3_REGION'],
    ['RequestTimeTooSkewed', 403, 'The clocks of this machine and of'],
  ])('are told by what is to be corrected: %s', async (code, status, sentence) => {
    server.faults.push(...Array.from({ length: 3 }, () => ({ status, code })));
    await expect(store.check()).rejects.toMatchObject({
      needsPerson: true,
      message: expect.stringContaining(sentence),
    });
  });

  test.each([
    ['EPROTO', 'http:// and https:// must not be mixed up'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'NODE_EXTRA_CA_CERTS'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'could not be trusted'],
  ])('are told by what is to be corrected: %s', (code, sentence) => {
    expect(storeFault(Object.assign(new Error('of Node'), { code }), server.settings())).toMatchObject({
      needsPerson: true,
      message: expect.stringContaining(sentence),
    });
  });

  test.each(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'])('may be right when all that is known is %s', (code) => {
    const fault = storeFault(Object.assign(new Error('of Node'), { code }), server.settings());
    expect(fault).toMatchObject({
      needsPerson: false,
      message: `The file store at ${where()} does not answer for now (${code}).`,
    });
  });
});

describe('removing a file that is kept again', () => {
  async function old(): Promise<{ content: Buffer; sha256: string; place: string; before: Date }> {
    const content = randomBytes(100);
    const sha256 = await store.keep(acme, content);
    const place = placeOf(acme, sha256);
    await server.age(place, 3 * HOUR_MS);
    server.calls.length = 0;
    return { content, sha256, place, before: new Date(Date.now() - HOUR_MS) };
  }

  const asked = (call: string) => server.calls.filter((one) => one.startsWith(call)).length;

  test('is waited for when it has begun, and then it is put anew', async () => {
    const { content, sha256, place, before } = await old();
    const removal = server.hold((call) => call === `DELETE ${place}`);
    const removing = store.removeUnused(acme, sha256, before);
    await removal.reached;
    const keeping = server.store().keep(acme, content);
    await until('it has looked twice for the mark', () => asked(`LIST ${place}.leaving/`) >= 2);
    removal.release();
    await Promise.all([removing, keeping]);
    expect(await buffer(store.read(acme, sha256))).toEqual(content);
    expect(asked(`PUT ${place}`) - asked(`PUT ${place}.leaving/`)).toBe(2);
  });

  test('is left undone when it has not looked yet', async () => {
    const { content, sha256, place, before } = await old();
    const look = server.hold((call) => call === `HEAD ${place}`);
    const removing = store.removeUnused(acme, sha256, before);
    await look.reached;
    const keeping = server.store().keep(acme, content);
    await until('it has been put anew', () => asked(`LIST ${place}.leaving/`) >= 1);
    look.release();
    await Promise.all([removing, keeping]);
    expect(asked(`DELETE ${place}`) - asked(`DELETE ${place}.leaving/`)).toBe(0);
    expect(await store.has(acme, sha256)).toBe(true);
    expect(server.keys().filter((key) => key.startsWith(`${place}.`))).toEqual([]);
  });

  test('by a process that died holds others off for a while, and not for ever', async () => {
    const { content, place } = await old();
    const mark = `${place}.leaving/${newId()}`;
    await server.bucket.put(mark, Buffer.alloc(0));
    const hasty = new S3Store(server.settings(), folder, 200);
    await expect(hasty.keep(acme, content)).rejects.toMatchObject({ name: 'StoreUnavailable', needsPerson: false });
    await server.age(mark, HOUR_MS);
    await store.keep(acme, content);
  });

  test('leaves its mark while one of its tries may still be on its way', async () => {
    const { sha256, place, before } = await old();
    const removal = server.hold((call) => call === `DELETE ${place}`);
    const removing = store.removeUnused(acme, sha256, before);
    await removal.reached;
    server.faults.push('hangs-up');
    removal.release();
    await removing;
    expect(await store.has(acme, sha256)).toBe(false);
    expect(server.keys().filter((key) => key.startsWith(`${place}.leaving/`))).toHaveLength(1);
  });

  test('is done when somebody was faster', async () => {
    const { sha256, place, before } = await old();
    const removal = server.hold((call) => call === `DELETE ${place}`);
    const removing = store.removeUnused(acme, sha256, before);
    await removal.reached;
    server.faults.push({ status: 404, code: 'NoSuchKey' });
    removal.release();
    await removing;
    expect(server.keys().filter((key) => key.startsWith(`${place}.`))).toEqual([]);
  });

  test('does not happen within an hour, whatever is asked', async () => {
    const sha256 = await store.keep(acme, randomBytes(100));
    await store.removeUnused(acme, sha256, new Date(Date.now() + HOUR_MS));
    expect(await store.has(acme, sha256)).toBe(true);
  });
});

test('bytes that were put a moment ago are not sent a second time', async () => {
  const content = randomBytes(100);
  const place = placeOf(acme, await store.keep(acme, content));
  server.calls.length = 0;
  await store.keep(acme, content);
  expect(server.calls).toEqual([`HEAD ${place}`, `LIST ${place}.leaving/`, `HEAD ${place}`]);
});
