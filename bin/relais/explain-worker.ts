// The thread that reads for `relais explain`: one mail a message, one explanation back, whatever stands in the mail.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type ExplainedMail, explainMail, unexplained } from '#activities/readers/explained-mail.ts';
import type { MailToExplain } from './explain.ts';

/** The same bound as of mailboxes: of a larger mail the beginning is read. */
const LARGEST_MAIL_BYTES = 26_000_000;

parentPort!.on('message', async (mail: MailToExplain) => parentPort!.postMessage(await explained(mail)));
parentPort!.postMessage('ready');

async function explained({ file, at, own, mostBytes }: MailToExplain): Promise<ExplainedMail> {
  try {
    // A pipe or a device would be waited for.
    if (!statSync(at).isFile()) return unexplained(file, 'no-such-file', 'This is no file.');
    const { content, truncated } = beginningOf(at, mostBytes ?? LARGEST_MAIL_BYTES);
    return await explainMail(content, { file, own, receivedAt: new Date(), truncated });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return unexplained(file, 'no-such-file', 'There is no such file.');
    return unexplained(file, 'unreadable', `The file could not be read: ${message}`);
  }
}

function beginningOf(file: string, mostBytes: number): { content: Buffer; truncated: boolean } {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const content = Buffer.alloc(Math.min(size, mostBytes));
    let filled = 0;
    while (filled < content.length) {
      const read = readSync(descriptor, content, filled, content.length - filled, filled);
      if (read === 0) break;
      filled += read;
    }
    return { content: content.subarray(0, filled), truncated: size > mostBytes };
  } finally {
    closeSync(descriptor);
  }
}
