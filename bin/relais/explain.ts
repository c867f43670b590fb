// `relais explain`: what the readers and rules make of mails on disk. A worker thread reads them one after the other and
// is stopped when one takes too long, so that no mail can hold up or bring down the others.
import { type Dirent, existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ExplainedMail, unexplained } from '#activities/readers/explained-mail.ts';
import { normaliseAddress } from '#domain/rules/email-address.ts';
import { explanationText } from './explanation-text.ts';

/** Of the five seconds a mail may take; the rest is for the start and for its beginning alone. */
const WHOLE_MAIL_MS = 2500;
const BEGINNING_MS = 700;
const BEGINNING_BYTES = 60_000;
const WORKER_MEMORY_MB = 768;

export type MailToExplain = { file: string; at: string; own: string[]; mostBytes: number | null };

/** npm changes to the project's folder: what was typed is meant from where it was typed. */
const TYPED_IN = process.env.INIT_CWD ?? process.cwd();

/** @returns the exit code: 0 when every mail could be read, 2 when one could not; null when none is named */
export async function explain(paths: string[], options: { json?: boolean; own?: string[] }): Promise<number | null> {
  // A reader that has seen enough (`| head`) closes the pipe.
  process.stdout.on('error', () => process.exit(0));
  // `--own a@acme.test b.eml`: the option takes all that follows it.
  const own = (options.own ?? []).flatMap((word) => word.split(',')).filter(isAddress);
  const named = [...paths, ...(options.own ?? []).filter((word) => !word.split(',').every(isAddress))];
  if (named.length === 0) return null;
  const reader = new MailReader();
  let code = 0;
  for (const file of named.flatMap(filesOf)) {
    const explained = await reader.explain(file, own);
    if (UNREAD.includes(explained.reason)) code = 2;
    await print(options.json ? JSON.stringify(explained) : explanationText(explained));
  }
  await reader.stop();
  return code;
}

const UNREAD = ['unreadable', 'too-slow', 'no-such-file'];

function isAddress(word: string): boolean {
  return normaliseAddress(word) !== null && !existsSync(path.resolve(TYPED_IN, word));
}

/** Everything in a folder but hidden files: in a Maildir mails have no extension. */
function filesOf(named: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(path.resolve(TYPED_IN, named), { withFileTypes: true });
  } catch {
    // A file, or something of which the reader will say that it is none.
    return [named];
  }
  return entries
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const within = path.join(named, entry.name);
      // A link to a folder may lead round in a circle: it is one line of its own.
      return entry.isDirectory() ? filesOf(within) : [within];
    });
}

function print(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
}

class MailReader {
  private worker: Promise<Worker> | null = null;

  async explain(file: string, own: string[]): Promise<ExplainedMail> {
    const at = path.resolve(TYPED_IN, file);
    const whole = await this.ask({ file, at, own, mostBytes: null }, WHOLE_MAIL_MS);
    if (typeof whole !== 'string') return whole;
    const beginning = await this.ask({ file, at, own, mostBytes: BEGINNING_BYTES }, BEGINNING_MS);
    if (typeof beginning === 'string') return unexplained(file, 'too-slow', whole);
    return { ...beginning, problems: [...beginning.problems, whole] };
  }

  async stop(): Promise<void> {
    await (await this.worker)?.terminate();
    this.worker = null;
  }

  /** @returns a sentence when the mail was too much for the time or the memory there is */
  private async ask(mail: MailToExplain, withinMs: number): Promise<ExplainedMail | string> {
    this.worker ??= startedWorker();
    const worker = await this.worker;
    const answer = await new Promise<ExplainedMail | string>((resolve) => {
      const late = setTimeout(() => resolve(`The mail could not be read within ${withinMs / 1000} seconds.`), withinMs);
      const done = (found: ExplainedMail | string) => {
        clearTimeout(late);
        worker.removeAllListeners('message').removeAllListeners('error').on('error', ignored);
        resolve(found);
      };
      worker.once('message', done);
      worker.once('error', (error) => done(`The mail was too much to read: ${error.message}`));
      worker.postMessage(mail);
    });
    if (typeof answer === 'string') await this.stop();
    return answer;
  }
}

/** Ready to read: what it takes to load the readers is not counted against the first mail. */
function startedWorker(): Promise<Worker> {
  const worker = new Worker(new URL('./explain-worker.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: WORKER_MEMORY_MB },
    // A library's word to the console would stand between the lines.
    stdout: true,
    stderr: true,
  });
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', () => {
      worker.removeAllListeners('error').on('error', ignored);
      resolve(worker);
    });
  });
}

/** A fault that comes after the answer concerns nobody any more. */
function ignored(): void {}
