// Trials: what an admin typed is tried on the real servers before anything is saved, and the result, with the last ten
// mails as they would be sorted, is sealed for the person who asked.
import { ApplicationFailure } from '@temporalio/common';
import type { ImapFlow } from 'imapflow';
import { type FolderWithRules, firstMatch, foldersWithRules } from '#domain/conversations/folder-rules.ts';
import type { MailServer } from '#domain/integrations/integration.ts';
import { announce } from '#domain/record/event.ts';
import { classifyMail } from '#domain/rules/automated-mail.ts';
import { Trial } from '#domain/secrets/trial.ts';
import type { TrialInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { mailboxFailure } from './failures.ts';
import { foldersOf, withMailbox } from './providers/imap.ts';
import { tryLogin } from './providers/smtp.ts';
import { readEmail } from './readers/email.ts';
import type { IncomingMessage } from './readers/incoming-message.ts';
import { mailTraitsOf } from './readers/mail-traits-of.ts';

const MAILS_SHOWN = 10;
const SHOWN_OF_ONE_BYTES = 200_000;

export type MailboxTrialInput = { imap: MailServer; smtp: MailServer; password: string; address: string };

/** A stable code the screen translates, and the server's name for its sentence. */
export type TrialProblem = { where: 'imap' | 'smtp'; code: string; host: string };

export type MailPreview = {
  from: string | null;
  subject: string;
  receivedAt: string;
  kind: string;
  reason: string;
  folder: string | null;
};

export type MailboxTrialResult = {
  problems: TrialProblem[];
  folders: string[];
  /** The one of them where the server puts what it takes for spam. */
  junk: string | null;
  mails: MailPreview[];
  /** How many mails the inbox holds. */
  total: number;
};

export function createTrying({ database, keys }: Dependencies) {
  return {
    /** Logs in to both servers and reads the newest mails, changing nothing. */
    async tryMailbox({ tenantId, trialId }: TrialInput): Promise<void> {
      const { input, folders } = await database.inTenant(tenantId, async (em) => ({
        input: (await em.findOneOrFail(Trial, { id: trialId })).input<MailboxTrialInput>(keys),
        folders: await foldersWithRules(em),
      }));
      const result: MailboxTrialResult = { problems: [], folders: [], junk: null, mails: [], total: 0 };
      await readInbox(input, folders, result);
      await trySmtp(input, result);
      await database.inTenant(tenantId, async (em) => {
        const trial = await em.findOneOrFail(Trial, { id: trialId });
        trial.conclude(keys, result.problems.length === 0 ? 'passed' : 'failed', result);
        announce(em, 'trial.concluded', null, { trialId });
      });
    },
  };
}

async function readInbox(
  input: MailboxTrialInput,
  folders: FolderWithRules[],
  result: MailboxTrialResult,
): Promise<void> {
  try {
    await withMailbox({ server: input.imap, password: input.password }, async (client) => {
      const { paths, junk } = await foldersOf(client);
      Object.assign(result, { folders: paths, junk });
      const inbox = await client.mailboxOpen('INBOX', { readOnly: true });
      result.total = inbox.exists;
      if (inbox.exists > 0) result.mails = await previews(client, inbox.exists, input.address, folders);
    });
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    result.problems.push({ where: 'imap', code: error.type ?? 'mailbox-unreachable', host: input.imap.host });
  }
}

async function previews(
  client: ImapFlow,
  exists: number,
  address: string,
  folders: FolderWithRules[],
): Promise<MailPreview[]> {
  const shown: MailPreview[] = [];
  const range = `${Math.max(1, exists - MAILS_SHOWN + 1)}:*`;
  for await (const mail of client.fetch(range, { internalDate: true, source: { maxLength: SHOWN_OF_ONE_BYTES } })) {
    if (!mail.source) continue;
    const receivedAt = new Date(mail.internalDate ?? Date.now());
    const message = await readEmail(mail.source, receivedAt).catch(() => null);
    if (message) shown.push(preview(message, receivedAt, address, folders));
  }
  return shown.reverse();
}

function preview(message: IncomingMessage, receivedAt: Date, address: string, folders: FolderWithRules[]): MailPreview {
  const verdict = classifyMail(
    mailTraitsOf(message, {
      answersUs: false,
      ownAddresses: [address],
      ownMessageId: false,
      inJunk: false,
      senderRules: [],
    }),
  );
  const match = firstMatch(folders, {
    channel: 'email',
    sender: message.sender,
    recipients: [...message.recipients, ...message.cc],
    subject: message.subject,
    text: message.text,
    newText: message.newText,
    language: null,
    hasAttachment: message.attachments.length > 0,
    client: {},
  });
  return {
    from: message.sender.name ?? message.sender.address,
    subject: message.subject,
    receivedAt: receivedAt.toISOString(),
    kind: verdict.kind,
    reason: verdict.reason,
    folder: verdict.kind === 'personal' ? (match?.folder.name ?? null) : null,
  };
}

async function trySmtp(input: MailboxTrialInput, result: MailboxTrialResult): Promise<void> {
  try {
    await tryLogin({ server: input.smtp, password: input.password });
  } catch (error) {
    const { host } = input.smtp;
    result.problems.push({ where: 'smtp', code: mailboxFailure(error, host).type ?? 'mailbox-unreachable', host });
  }
}
