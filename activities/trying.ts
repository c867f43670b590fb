// Trials: what an admin typed is tried on the real servers before anything is saved, and the result, with the last ten
// mails as they would be sorted, is sealed for the person who asked.
import type { EntityManager } from '@mikro-orm/postgresql';
import { ApplicationFailure } from '@temporalio/common';
import type { ImapFlow } from 'imapflow';
import { type FolderRule, firstMatch, rulesInOrder } from '#domain/conversations/folder-rules.ts';
import { Integration } from '#domain/integrations/integration.ts';
import { type ConsentedMailbox, isConsented, type MailboxTrialInput } from '#domain/integrations/mailbox-trial.ts';
import { announce } from '#domain/record/event.ts';
import { classifyMail } from '#domain/rules/automated-mail.ts';
import { OAUTH_LABELS } from '#domain/rules/words.ts';
import { Trial } from '#domain/secrets/trial.ts';
import type { TrialInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { final, mailboxFailure } from './failures.ts';
import { foldersOf, type MailSecret, withMailbox } from './providers/imap.ts';
import { exchangeConsent } from './providers/oauth.ts';
import { tryLogin } from './providers/smtp.ts';
import { readEmail } from './readers/email.ts';
import type { IncomingMessage } from './readers/incoming-message.ts';
import { mailTraitsOf } from './readers/mail-traits-of.ts';

const MAILS_SHOWN = 10;
const SHOWN_OF_ONE_BYTES = 200_000;

/** A stable code the screen translates, and the server's name for its sentence. */
export type TrialProblem = { where: 'imap' | 'smtp' | 'consent'; code: string; host: string };

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

export function createTrying(dependencies: Dependencies) {
  const { database, keys } = dependencies;
  return {
    /** Logs in to both servers and reads the newest mails, changing nothing. */
    async tryMailbox(ref: TrialInput): Promise<void> {
      const { tenantId, trialId } = ref;
      const { input, rules } = await database.inTenant(tenantId, async (em) => ({
        input: (await em.findOneOrFail(Trial, { id: trialId })).input<MailboxTrialInput>(keys),
        rules: await rulesInOrder(em),
      }));
      const result: MailboxTrialResult = { problems: [], folders: [], junk: null, mails: [], total: 0 };
      const known = isConsented(input) ? await takeConsent(dependencies, ref, input, result) : input;
      if (known) {
        await readInbox(known, rules, result);
        await trySmtp(known, result);
      }
      await database.inTenant(tenantId, async (em) => {
        const trial = await em.findOneOrFail(Trial, { id: trialId });
        trial.conclude(keys, result.problems.length === 0 ? 'passed' : 'failed', result);
        announce(em, 'trial.concluded', null, { trialId });
      });
    },
  };
}

/** Turns the answer of the provider into tokens, which are kept at once: it is good for one exchange. */
async function takeConsent(
  { database, keys, oauth }: Dependencies,
  { tenantId, trialId }: TrialInput,
  input: ConsentedMailbox,
  result: MailboxTrialResult,
): Promise<ConsentedMailbox | null> {
  if (input.consent.tokens) return input;
  const { provider: name, integrationId } = input.consent;
  const provider = oauth[name];
  try {
    if (!provider)
      throw final('oauth-client-refused', `${OAUTH_LABELS[name]} refused this installation (not registered).`);
    const { tokens, address } = await exchangeConsent(provider, input.consent);
    const username = address ?? input.address;
    if (!username) throw final('oauth-client-refused', `${provider.label} did not say whose mailbox it is.`);
    const mailbox: ConsentedMailbox = {
      address: username,
      imap: { ...input.imap, username },
      smtp: { ...input.smtp, username },
      consent: { ...input.consent, answer: null, tokens },
    };
    await database.inTenant(tenantId, async (em) => {
      if (integrationId && (await usernameOf(em, integrationId)) !== username.toLowerCase())
        throw final('oauth-other-account', `${provider.label} gave another mailbox.`);
      (await em.findOneOrFail(Trial, { id: trialId })).replaceInput(keys, mailbox);
    });
    return mailbox;
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    result.problems.push({ where: 'consent', code: error.type ?? 'oauth-unreachable', host: OAUTH_LABELS[name] });
    return null;
  }
}

async function usernameOf(em: EntityManager, integrationId: string): Promise<string> {
  const integration = await em.findOneOrFail(Integration, { id: integrationId });
  return integration.mailboxSettings().imap.username.toLowerCase();
}

function secretOf(input: MailboxTrialInput): MailSecret {
  return isConsented(input) ? { accessToken: input.consent.tokens!.accessToken } : { password: input.password };
}

async function readInbox(
  input: MailboxTrialInput,
  rules: readonly FolderRule[],
  result: MailboxTrialResult,
): Promise<void> {
  try {
    await withMailbox({ server: input.imap, ...secretOf(input) }, async (client) => {
      const { paths, junk } = await foldersOf(client);
      Object.assign(result, { folders: paths, junk });
      const inbox = await client.mailboxOpen('INBOX', { readOnly: true });
      result.total = inbox.exists;
      if (inbox.exists > 0) result.mails = await previews(client, inbox.exists, input.address, rules);
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
  rules: readonly FolderRule[],
): Promise<MailPreview[]> {
  const shown: MailPreview[] = [];
  const range = `${Math.max(1, exists - MAILS_SHOWN + 1)}:*`;
  for await (const mail of client.fetch(range, { internalDate: true, source: { maxLength: SHOWN_OF_ONE_BYTES } })) {
    if (!mail.source) continue;
    const receivedAt = new Date(mail.internalDate ?? Date.now());
    const message = await readEmail(mail.source, receivedAt).catch(() => null);
    if (message) shown.push(preview(message, receivedAt, address, rules));
  }
  return shown.reverse();
}

function preview(
  message: IncomingMessage,
  receivedAt: Date,
  address: string,
  rules: readonly FolderRule[],
): MailPreview {
  const verdict = classifyMail(
    mailTraitsOf(message, {
      answersUs: false,
      ownAddresses: [address],
      ownMessageId: false,
      inJunk: false,
      senderRules: [],
    }),
  );
  const match = firstMatch(rules, {
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
    await tryLogin({ server: input.smtp, ...secretOf(input) });
  } catch (error) {
    const { host } = input.smtp;
    result.problems.push({ where: 'smtp', code: mailboxFailure(error, host).type ?? 'mailbox-unreachable', host });
  }
}
