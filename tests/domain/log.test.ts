import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { mask } from '#domain/record/log.ts';

/** Runs a few lines in a process of their own and returns what they logged. */
function logged(lines: string): Record<string, unknown>[] {
  const program = `import { createLog } from '#domain/record/log.ts'; const log = createLog('test', 'trace'); ${lines}`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
  });
  if (stderr) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a log line', () => {
  test('carries neither addresses, numbers, bodies nor secrets, however deep they lie', () => {
    const [line] = logged(`
      log.info({ tenantId: '0192a', to: 'camille.martin@example.com', nested: { deep: { password: 'hunter2', note: '+33 6 12 34 56 78' } },
                 raw: Buffer.from('secret body'), headers: { authorization: 'Bearer abc' } },
               'Mail from camille.martin@example.com refused');
    `);
    const text = JSON.stringify(line);
    for (const secret of ['camille.martin', 'example.com', 'hunter2', '12 34 56', 'secret body', 'abc'])
      expect(text).not.toContain(secret);
    expect(line).toMatchObject({ tenantId: '0192a', level: 'info' });
  });

  test('describes an error by its kind and place, without the rows a driver hangs on it', () => {
    const [line] = logged(`
      const error = Object.assign(new Error('duplicate key camille@example.com'), { code: '23505', detail: 'Key (email)=(camille@example.com)', parameters: ['hunter2'] });
      log.error({ err: error }, 'A step failed');
    `);
    expect(line).toMatchObject({ err: { type: 'Error', code: '23505' } });
    expect(JSON.stringify(line)).not.toMatch(/camille@|hunter2|Key \(email\)/);
  });
});

describe('masking', () => {
  test.each([
    ['write to zoe@shop.example now', 'zoe@shop'],
    ['postgres://relais:topsecret@db/relais', 'topsecret'],
    ['Authorization: Bearer eyJhbGciOi.abc', 'eyJhbGciOi'],
    ['call 06 12 34 56 78 back', '34 56'],
    ['call +33612345678 back', '612345678'],
  ])('hides what is private in "%s"', (text, secret) => {
    expect(mask(text)).not.toContain(secret);
  });

  test.each([
    '0192a208-c32f-7079-b92d-4a981a4582c8',
    'tenant/01a208c0/receipt/01a208c1',
    '2026-11-23T14:11:01.531Z',
    'took 1234 ms',
  ])('leaves %s as it is', (text) => {
    expect(mask(text)).toBe(text);
  });
});
