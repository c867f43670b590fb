// A server on loopback that speaks S3, verifies every signature, and can be told to misbehave as stores do.
import { globSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import S3rver from '@20minutes/s3rver';
import { S3Bucket } from '#domain/attachments/s3-bucket.ts';
import { S3Store } from '#domain/attachments/s3-store.ts';
import type { S3Settings } from '#domain/attachments/storage-settings.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';

/** What the server does with the next calls: one each, then it answers as it should again. */
export type S3Fault = { status: number; code: string } | 'hangs-up' | 'breaks-off';

export type Held = {
  /** Ends when a call has come that is held. */
  reached: Promise<void>;
  release: () => void;
};

export const SLOW_DOWN = { status: 503, code: 'SlowDown' };

const BUCKET = 'attachments';
/** What the name of an object's file ends with. */
const OBJECT = '._S3rver_object';

export class S3Server {
  readonly faults: S3Fault[] = [];
  /** Answers every call that it has too much to do. */
  isAway = false;
  /** Method and key of all that was asked, in order. */
  readonly calls: string[] = [];
  /** How long an answer is on its way, and what else happens meanwhile. */
  latency: () => number | Promise<number> = () => 0;
  readonly #http: Server;
  readonly #folder: string;
  readonly #holds: ((call: string) => Promise<void> | null)[] = [];

  private constructor(folder: string, answer: RequestListener) {
    this.#folder = folder;
    this.#http = createServer((request, response) => void this.#take(request, response, answer));
  }

  static async open(): Promise<S3Server> {
    const directory = path.join(process.env.TEST_HOME!, `s3-${newId().slice(-8)}`);
    const parts = new S3rver({ directory, silent: true, vhostBuckets: false, configureBuckets: [{ name: BUCKET }] });
    await parts.configureBuckets();
    // It forgets the slash after the bucket, which is signed as well: before its routes, where it looks for one.
    parts.middleware.splice(-1, 0, (context, next) => {
      if (/^\/[^/]+\/$/.test(context.path)) {
        context.mountPath = '/';
        context.state.vhost = true;
      }
      return next();
    });
    // Its own way also takes away folders that seem to be empty, with what is being put there at that moment.
    parts.store.deleteObject = async (bucket, key) => {
      for (const part of ['object', 'object.md5', 'metadata.json']) {
        await rm(path.join(directory, bucket, `${key}._S3rver_${part}`), { force: true });
      }
    };
    const server = new S3Server(directory, parts.callback());
    server.#http.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.#http.once('listening', resolve));
    return server;
  }

  settings(changes: Partial<S3Settings> = {}): S3Settings {
    const { port } = this.#http.address() as AddressInfo;
    return {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      bucket: BUCKET,
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      forcePathStyle: true,
      ...changes,
    };
  }

  /** As one process has it. @param local where it puts what is coming in */
  store(changes: Partial<S3Settings> = {}, local = path.join(this.#folder, 'local')): S3Store {
    return new S3Store(this.settings(changes), local);
  }

  /** What lies here, past the store. */
  get bucket(): S3Bucket {
    return new S3Bucket(this.settings());
  }

  keys(): string[] {
    const objects = globSync(`**/*${OBJECT}`, { cwd: path.join(this.#folder, BUCKET) });
    return objects.map((file) => file.slice(0, -OBJECT.length));
  }

  /** As if the object had been put so long ago. */
  async age(key: string, byMs: number): Promise<void> {
    const then = new Date(Date.now() - byMs);
    await utimes(path.join(this.#folder, BUCKET, `${key}${OBJECT}`), then, then);
  }

  /** Keeps the next call that fits waiting before the server has seen it. */
  hold(fits: (call: string) => boolean): Held {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const hold = (call: string) => {
      if (!fits(call)) return null;
      this.#holds.splice(this.#holds.indexOf(hold), 1);
      reached.resolve();
      return released.promise;
    };
    this.#holds.push(hold);
    return { reached: reached.promise, release: released.resolve };
  }

  get connections(): Promise<number> {
    return new Promise((resolve) => this.#http.getConnections((_error, count) => resolve(count)));
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse, answer: RequestListener): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3');
    const key = searchParams.get('prefix') ?? decodeURIComponent(pathname.split('/').slice(2).join('/'));
    const call = `${searchParams.has('prefix') ? 'LIST' : request.method} ${key}`;
    this.calls.push(call);
    for (const hold of [...this.#holds]) await hold(call);
    const latency = await this.latency();
    if (latency > 0) await delay(latency);
    const fault = this.isAway ? SLOW_DOWN : this.faults.shift();
    if (fault === undefined) return answer(request, response);
    if (fault === 'hangs-up') return void request.socket.destroy();
    if (fault === 'breaks-off') return answer(request, brokenOff(response));
    response.writeHead(fault.status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>As told</Message></Error>`);
  }
}

/** The first bytes arrive, and then the connection goes. */
function brokenOff(response: ServerResponse): ServerResponse {
  const write = response.write.bind(response) as (chunk: Buffer, sent?: () => void) => boolean;
  response.write = ((chunk: Buffer) =>
    write(chunk.subarray(0, chunk.length / 2), () => response.destroy())) as typeof response.write;
  return response;
}
