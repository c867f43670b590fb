// One bucket of an S3-compatible store: its few calls, their patience, and their faults in our words.
import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { storeFault } from './s3-faults.ts';
import type { S3Settings } from './storage-settings.ts';

const CONNECT_WITHIN_MS = 5_000;
const SILENT_FOR_MS = 20_000;
/** The smallest S3 takes: of a file on its way up one part is in memory. */
const PART_BYTES = 5 * 1024 * 1024;

export type StoredObject = { key: string; lastModified: Date };

export class S3Bucket {
  readonly #settings: S3Settings;
  readonly #client: S3Client;

  constructor(settings: S3Settings) {
    this.#settings = settings;
    this.#client = new S3Client({
      region: settings.region,
      forcePathStyle: settings.forcePathStyle,
      credentials: { accessKeyId: settings.accessKeyId, secretAccessKey: settings.secretAccessKey },
      // Newer checksums are unknown to many compatible stores; what was sent is signed all the same.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, socketTimeout: SILENT_FOR_MS },
      ...(settings.endpoint ? { endpoint: settings.endpoint } : {}),
    });
  }

  /** An object appears whole, or not at all. */
  async put(key: string, content: Buffer): Promise<void> {
    await this.#told(this.#client.send(new PutObjectCommand({ ...this.#at(key), Body: content })));
  }

  /** A file of this machine, in parts. */
  async upload(key: string, file: string): Promise<void> {
    const params = { ...this.#at(key), Body: createReadStream(file) };
    await this.#told(new Upload({ client: this.#client, params, queueSize: 1, partSize: PART_BYTES }).done());
  }

  /** Null when there is no such object. */
  async lastModified(key: string): Promise<Date | null> {
    try {
      const { LastModified } = await this.#client.send(new HeadObjectCommand(this.#at(key)));
      return LastModified ?? null;
    } catch (error) {
      if (isNotFound(error)) return null;
      throw storeFault(error, this.#settings);
    }
  }

  /** The first thousand, which is all that ever stand under one file. */
  async list(prefix: string): Promise<StoredObject[]> {
    const { bucket: Bucket } = this.#settings;
    const { Contents = [] } = await this.#told(this.#client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix })));
    return Contents.map(({ Key = '', LastModified = new Date(0) }) => ({ key: Key, lastModified: LastModified }));
  }

  /** Fails as a stream of the disk does; one that is given up lets go of its connection. */
  read(key: string): Readable {
    const bytes = new PassThrough();
    const givenUp = new AbortController();
    bytes.once('close', () => givenUp.abort());
    const fail = (error: unknown) => bytes.destroy(isNotFound(error) ? missing() : storeFault(error, this.#settings));
    this.#client
      .send(new GetObjectCommand(this.#at(key)), { abortSignal: givenUp.signal })
      .then(({ Body }) => {
        const body = Body as Readable;
        body.once('error', fail);
        bytes.once('close', () => body.destroy());
        body.pipe(bytes);
      })
      .catch(fail);
    return bytes;
  }

  /** @returns whether each try of it is known to have ended: one that was given up may still arrive */
  async remove(key: string): Promise<boolean> {
    try {
      const { $metadata } = await this.#client.send(new DeleteObjectCommand(this.#at(key)));
      return $metadata.attempts === 1;
    } catch (error) {
      // Amazon never says so; others do when somebody was faster.
      if (isNotFound(error)) return error.$metadata.attempts === 1;
      throw storeFault(error, this.#settings);
    }
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#settings.bucket, Key: key };
  }

  async #told<Result>(answer: Promise<Result>): Promise<Result> {
    try {
      return await answer;
    } catch (error) {
      throw storeFault(error, this.#settings);
    }
  }
}

function isNotFound(error: unknown): error is S3ServiceException {
  return ['NoSuchKey', 'NotFound'].includes((error as Error).name);
}

function missing(): Error {
  return Object.assign(new Error('The file store has no such file.'), { code: 'ENOENT' });
}
