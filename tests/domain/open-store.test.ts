// The store an operator has chosen: what its settings must hold, and what is told at the start rather than at the first
// file.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DiskStore } from '#domain/attachments/disk-store.ts';
import { openAttachmentStore } from '#domain/attachments/open-store.ts';
import { S3Store } from '#domain/attachments/s3-store.ts';
import { ConfigurationProblem } from '#domain/configuration.ts';
import { createLog } from '#domain/record/log.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { readWorkersConfig } from '#workers/config.ts';
import { S3Server } from '../support/s3-server.ts';

const NEEDED = {
  DATABASE_URL: 'postgres://relais_app:x@localhost/relais',
  ENCRYPTION_KEY: Buffer.alloc(32).toString('base64'),
};

const folder = path.join(process.env.TEST_HOME!, `store-${newId().slice(-8)}`);
const log = createLog('tests', 'error');
let server: S3Server;
let s3: NodeJS.ProcessEnv;

beforeAll(async () => {
  mkdirSync(folder);
  server = await S3Server.open();
  const { endpoint, bucket, accessKeyId, secretAccessKey } = server.settings();
  s3 = {
    ...NEEDED,
    STORAGE_DRIVER: 's3',
    STORAGE_PATH: folder,
    S3_ENDPOINT: endpoint!,
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  };
});

afterAll(() => server?.close());

const opened = (env: NodeJS.ProcessEnv) => openAttachmentStore(readWorkersConfig(env), log);

describe('the settings of the file store', () => {
  test('are a folder of this machine unless something else is set', async () => {
    expect(readWorkersConfig(NEEDED)).toMatchObject({ STORAGE_DRIVER: 'local', STORAGE_PATH: './data/files' });
    expect(await opened({ ...NEEDED, STORAGE_PATH: path.join(folder, 'files') })).toBeInstanceOf(DiskStore);
  });

  test('name an S3-compatible store, its secret perhaps in a file', async () => {
    const file = path.join(folder, 'secret');
    writeFileSync(file, `${s3.S3_SECRET_ACCESS_KEY}\n`);
    const { S3_SECRET_ACCESS_KEY: _, ...rest } = s3;
    expect(await opened({ ...rest, S3_SECRET_ACCESS_KEY_FILE: file })).toBeInstanceOf(S3Store);
  });

  test('that are missing are told in one list with the other faults', () => {
    const { ENCRYPTION_KEY: _, ...rest } = NEEDED;
    const wrong = { ...rest, STORAGE_DRIVER: 's3', S3_ENDPOINT: 's3.example.com', S3_FORCE_PATH_STYLE: 'perhaps' };
    expect(() => readWorkersConfig(wrong)).toThrow(ConfigurationProblem);
    const faults = (() => {
      try {
        readWorkersConfig(wrong);
      } catch (error) {
        return (error as Error).message.split('\n').slice(1);
      }
    })();
    expect(faults?.map((fault) => fault.trim().split(':')[0]).sort()).toEqual([
      'ENCRYPTION_KEY',
      'S3_ACCESS_KEY_ID',
      'S3_BUCKET',
      'S3_ENDPOINT',
      'S3_FORCE_PATH_STYLE',
      'S3_SECRET_ACCESS_KEY',
    ]);
    expect(() => readWorkersConfig({ ...NEEDED, STORAGE_DRIVER: 'ftp' })).toThrow('must be `local` or `s3`');
  });

  test.each([
    ['a secret that is not that of the key', { S3_SECRET_ACCESS_KEY: 'guessed' }, 'correct S3_SECRET_ACCESS_KEY.'],
    ['a bucket that does not exist', { S3_BUCKET: 'nobodys' }, 'has no bucket “nobodys”'],
    ['no folder that can be written to', { STORAGE_DRIVER: 'local', STORAGE_PATH: '/dev/null/files' }, 'STORAGE_PATH'],
  ])('with %s stop the start in one sentence', async (_what, wrong, sentence) => {
    const problem = await opened({ ...s3, ...wrong }).catch((error) => error);
    expect(problem).toBeInstanceOf(ConfigurationProblem);
    expect(problem.message).toContain(sentence);
    expect(problem.message).not.toContain('\n');
  });

  test('of a store that is away for now are a warning, and the start goes on', async () => {
    const warn = jest.spyOn(log, 'warn').mockImplementation(() => {});
    const store = await opened({ ...s3, S3_ENDPOINT: 'http://127.0.0.1:9' });
    expect(store).toBeInstanceOf(S3Store);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('The file store at 127.0.0.1:9 does not answer for now'));
    warn.mockRestore();
  });
});
