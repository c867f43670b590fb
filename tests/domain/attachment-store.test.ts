// What every store of attachments promises, held against the disk and against S3.
import { createHash, randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { readFile, utimes } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type AttachmentStore, isMissing, placeOf } from '#domain/attachments/attachment-store.ts';
import { DiskStore } from '#domain/attachments/disk-store.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { S3Server } from '../support/s3-server.ts';

const HOUR_MS = 3600_000;
const ROUNDS = process.env.TEST_SIZE === 'long' ? 2_000 : 60;
const ROUNDS_WITHIN_MS = 60_000 + ROUNDS * 500;
const AT_ONCE = 20;
const LARGE_BYTES = 60_000_000;

type Tried = {
  /** As two processes have it. */
  store: AttachmentStore;
  other: AttachmentStore;
  /** All that lies anywhere, by place. */
  places: () => Promise<string[]>;
  age: (place: string, byMs: number) => Promise<void>;
  /** Answers come after up to so many milliseconds, in any order. */
  slowDown: (upToMs: number) => void;
  whileAsked: (look: () => void) => void;
  close: () => Promise<void>;
};

async function onDisk(): Promise<Tried> {
  const root = path.join(process.env.TEST_HOME!, 'files', newId());
  return {
    store: new DiskStore(root),
    other: new DiskStore(root),
    places: async () => filesIn(root),
    age: (place, byMs) => {
      const then = new Date(Date.now() - byMs);
      return utimes(path.join(root, place), then, then);
    },
    slowDown: () => {},
    whileAsked: () => {},
    close: async () => {},
  };
}

async function inS3(): Promise<Tried> {
  const server = await S3Server.open();
  const local = path.join(process.env.TEST_HOME!, 'files', newId());
  return {
    store: server.store({}, local),
    other: server.store({}, local),
    places: async () => [...server.keys(), ...filesIn(local)],
    age: (place, byMs) => server.age(place, byMs),
    slowDown: (upToMs) => {
      server.latency = () => Math.random() * upToMs;
    },
    whileAsked: (look) => {
      server.latency = () => {
        look();
        return 0;
      };
    },
    close: () => server.close(),
  };
}

function filesIn(folder: string): string[] {
  const entries = globSync('**/*', { cwd: folder, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

describe.each([
  ['on a disk', onDisk],
  ['in S3', inS3],
])('attachments %s', (_where, open) => {
  const acme = newId();
  const globex = newId();
  let tried: Tried;
  let store: AttachmentStore;

  beforeAll(async () => {
    tried = await open();
    store = tried.store;
  });

  afterAll(() => tried?.close());

  const placesOf = async (tenantId: string) => (await tried.places()).filter((place) => place.startsWith(tenantId));

  test('can be kept at all', async () => {
    await store.check();
    expect(await tried.places()).toEqual([]);
  });

  test('are kept once, under their tenant and their digest', async () => {
    const tenantId = newId();
    const content = randomBytes(10_000);
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect([await store.keep(tenantId, content), await store.keep(tenantId, content)]).toEqual([sha256, sha256]);
    expect(await placesOf(tenantId)).toEqual([placeOf(tenantId, sha256)]);
    expect(await store.has(tenantId, sha256)).toBe(true);
    expect((await buffer(store.read(tenantId, sha256))).equals(content)).toBe(true);
  });

  test('may be empty', async () => {
    const sha256 = await store.keep(acme, Buffer.alloc(0));
    expect(await buffer(store.read(acme, sha256))).toHaveLength(0);
  });

  test('of one company are not there for another, even with the same bytes', async () => {
    const sha256 = await store.keep(acme, Buffer.from('only for acme'));
    expect(await store.has(globex, sha256)).toBe(false);
    await expect(buffer(store.read(globex, sha256))).rejects.toThrow();
    await store.keep(globex, Buffer.from('only for acme'));
    await tried.age(placeOf(globex, sha256), 2 * HOUR_MS);
    await store.removeUnused(globex, sha256, new Date());
    expect(await store.has(acme, sha256)).toBe(true);
  });

  test('that are not there are told apart from a store that fails', async () => {
    const gone = createHash('sha256').update('nobody kept this').digest('hex');
    const error = await buffer(store.read(acme, gone)).catch((thrown) => thrown);
    expect(isMissing(error)).toBe(true);
    expect(await store.has(acme, gone)).toBe(false);
    expect(await store.readPreview(acme, gone)).toBeNull();
    await store.removeUnused(acme, gone, new Date());
  });

  test.each([
    ['../../etc', 'a'.repeat(64)],
    [newId(), '../../../etc/passwd'],
  ])('never lie where a name from outside says: %s, %s', async (tenantId, sha256) => {
    expect(() => store.read(tenantId, sha256)).toThrow('Not a place of an attachment.');
    await expect(store.has(tenantId, sha256)).rejects.toThrow('Not a place of an attachment.');
    await expect(store.keepPreview(tenantId, sha256, Buffer.from('x'))).rejects.toThrow('Not a place');
  });

  test('that come as a stream can be looked at before they are kept', async () => {
    const tenantId = newId();
    const content = randomBytes(300_000);
    const received = await store.receive(tenantId, Readable.from([content.subarray(0, 100), content.subarray(100)]));
    expect(received).toMatchObject({
      sha256: createHash('sha256').update(content).digest('hex'),
      size: content.length,
    });
    expect((await readFile(received.path)).equals(content)).toBe(true);
    expect(await store.has(tenantId, received.sha256)).toBe(false);
    await received.keep();
    await received.discard();
    expect((await buffer(store.read(tenantId, received.sha256))).equals(content)).toBe(true);
    expect(await placesOf(tenantId)).toEqual([placeOf(tenantId, received.sha256)]);
  });

  test('that nobody wants to keep leave nothing', async () => {
    const tenantId = newId();
    const received = await store.receive(tenantId, Readable.from([Buffer.from('refused')]));
    await received.discard();
    expect(await placesOf(tenantId)).toEqual([]);
  });

  test('whose stream breaks leave nothing', async () => {
    const tenantId = newId();
    const breaking = Readable.from(
      (async function* () {
        yield randomBytes(100_000);
        throw new Error('the sender went away');
      })(),
    );
    await expect(store.receive(tenantId, breaking)).rejects.toThrow('the sender went away');
    expect(await placesOf(tenantId)).toEqual([]);
  });

  test('go with their previews when nobody has kept them since', async () => {
    const tenantId = newId();
    const sha256 = await store.keep(tenantId, Buffer.from('a picture'));
    await store.keepPreview(tenantId, sha256, Buffer.from('a small picture'));
    expect(String(await buffer((await store.readPreview(tenantId, sha256))!))).toBe('a small picture');
    await store.removeUnused(tenantId, sha256, new Date(Date.now() - HOUR_MS));
    expect(await placesOf(tenantId)).toHaveLength(2);
    await tried.age(placeOf(tenantId, sha256), 3 * HOUR_MS);
    await store.removeUnused(tenantId, sha256, new Date(Date.now() - HOUR_MS));
    expect(await placesOf(tenantId)).toEqual([]);
  });

  test.each([
    ['as a whole', (tenantId: string, content: Buffer) => store.keep(tenantId, content)],
    [
      'as a stream',
      async (tenantId: string, content: Buffer) => (await store.receive(tenantId, Readable.from([content]))).keep(),
    ],
  ])('that were kept again %s stay', async (_how, keepAgain) => {
    const tenantId = newId();
    const content = Buffer.from('kept again');
    const sha256 = await store.keep(tenantId, content);
    await tried.age(placeOf(tenantId, sha256), 3 * HOUR_MS);
    await keepAgain(tenantId, content);
    await store.removeUnused(tenantId, sha256, new Date(Date.now() - HOUR_MS));
    expect(await placesOf(tenantId)).toEqual([placeOf(tenantId, sha256)]);
  });

  test(
    `that are removed and kept again at the same moment are never lost, ${ROUNDS} times`,
    async () => {
      const tenantId = newId();
      const contents = Array.from({ length: ROUNDS }, (_, round) => Buffer.from(`round ${round}`));
      const lost: string[] = [];
      for (let from = 0; from < ROUNDS; from += AT_ONCE) {
        await Promise.all(
          contents.slice(from, from + AT_ONCE).map(async (content, at) => {
            const sha256 = await store.keep(tenantId, content);
            await tried.age(placeOf(tenantId, sha256), 3 * HOUR_MS);
            tried.slowDown(8);
            const before = new Date(Date.now() - HOUR_MS);
            await Promise.all([
              store.removeUnused(tenantId, sha256, before),
              tried.other.removeUnused(tenantId, sha256, before),
              delay(at * 2).then(() => tried.other.keep(tenantId, content)),
            ]);
            const kept = await buffer(store.read(tenantId, sha256)).catch(() => null);
            if (!kept?.equals(content)) lost.push(String(content));
          }),
        );
      }
      tried.slowDown(0);
      expect(lost).toEqual([]);
      expect(await placesOf(tenantId)).toHaveLength(ROUNDS);
    },
    ROUNDS_WITHIN_MS,
  );

  test('of 60 MB pass through a small part of the memory', async () => {
    const tenantId = newId();
    const memory = new Memory();
    tried.whileAsked(() => memory.look());
    const received = await store.receive(tenantId, Readable.from(largeFile(memory), { objectMode: false }));
    await received.keep();
    const digest = createHash('sha256');
    let size = 0;
    for await (const chunk of store.read(tenantId, received.sha256)) {
      digest.update(chunk);
      size += chunk.length;
    }
    memory.look();
    expect({ size, sha256: digest.digest('hex') }).toEqual({ size: LARGE_BYTES, sha256: received.sha256 });
    expect(memory.peakBytes).toBeLessThan(LARGE_BYTES / 2);
  });
});

function* largeFile(memory: Memory): Generator<Buffer> {
  for (let written = 0; written < LARGE_BYTES; written += 100_000) {
    if (written % 10_000_000 === 0) memory.look();
    yield randomBytes(100_000);
  }
}

/** What buffers hold beyond the beginning, once everything that can go is gone. */
class Memory {
  peakBytes = 0;
  readonly #before: number;
  readonly #collect: () => void;

  constructor() {
    v8.setFlagsFromString('--expose-gc');
    this.#collect = vm.runInNewContext('gc') as () => void;
    this.#before = this.#held();
  }

  look(): void {
    this.peakBytes = Math.max(this.peakBytes, this.#held() - this.#before);
  }

  #held(): number {
    // What the first has found is given back on a thread of its own, which the second waits for.
    this.#collect();
    this.#collect();
    return process.memoryUsage().arrayBuffers;
  }
}
