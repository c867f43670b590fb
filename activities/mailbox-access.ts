// How a connected mailbox is opened: by its password, or by an access token, which is renewed when it was refused.
import type { EntityManager } from '@mikro-orm/postgresql';
import { ApplicationFailure } from '@temporalio/common';
import type { ImapFlow } from 'imapflow';
import { NotFound } from '#domain/errors.ts';
import { Integration, type MailboxSettings } from '#domain/integrations/integration.ts';
import { Credential, type CredentialName } from '#domain/secrets/credential.ts';
import { accessTokenOf, type MailboxRef } from './access-token.ts';
import type { Dependencies } from './dependencies.ts';
import { type MailSecret, withMailbox } from './providers/imap.ts';
import type { SmtpAccount, TransmitEnd } from './providers/smtp.ts';

type InMailboxOptions = {
  /** Of providers/imap.ts. */
  idles?: boolean;
  /** What `work` needs of the database, read together with the keys: a look every minute should cost little. */
  readBefore?: (em: EntityManager) => Promise<void>;
};

/**
 * Runs `work` in the mailbox.
 * @throws ApplicationFailure as failures.ts says
 */
export async function inMailbox<Result>(
  dependencies: Dependencies,
  ref: MailboxRef,
  work: (client: ImapFlow, mailbox: Integration) => Promise<Result>,
  { readBefore, ...options }: InMailboxOptions = {},
): Promise<Result> {
  const { mailbox, settings, secret } = await keysTo(dependencies, ref, 'imap-password', readBefore);
  const inside = (client: ImapFlow) => work(client, mailbox);
  if (!secret)
    throw new NotFound('credential.missing', 'No password of this mailbox is stored: enter it again in the settings.');
  const server = settings.imap;
  try {
    return await withMailbox({ server, ...secret }, inside, options);
  } catch (error) {
    if (!('accessToken' in secret) || !isRefusedLogin(error)) throw error;
    const accessToken = await accessTokenOf(dependencies, ref, settings.oauth!, secret.accessToken);
    return withMailbox({ server, accessToken }, inside, options);
  }
}

const NOT_CONNECTED = 'This mailbox is not connected any more: connect it again, then send once more.';

/** Runs `transmit` with the mailbox's way out. Who refuses a login has not seen the mail: it may be tried again. */
export async function throughMailbox(
  dependencies: Dependencies,
  ref: MailboxRef,
  transmit: (account: SmtpAccount) => Promise<TransmitEnd>,
): Promise<TransmitEnd> {
  try {
    const { mailbox, settings, secret } = await keysTo(dependencies, ref, 'smtp-password');
    if (mailbox.removedAt) return { outcome: 'failed', failure: 'credentials-refused', response: NOT_CONNECTED };
    const server = settings.smtp;
    const end = await transmit({ server, ...(secret ?? { password: null }) });
    if (!secret || !('accessToken' in secret) || !isRefusedEnd(end)) return end;
    const accessToken = await accessTokenOf(dependencies, ref, settings.oauth!, secret.accessToken);
    return await transmit({ server, accessToken });
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    const response = error.message;
    if (error.nonRetryable) return { outcome: 'failed', failure: 'credentials-refused', response };
    return { outcome: 'retry', failure: 'server-unreachable', response };
  }
}

async function keysTo(
  dependencies: Dependencies,
  ref: MailboxRef,
  password: CredentialName,
  readBefore?: InMailboxOptions['readBefore'],
): Promise<{ mailbox: Integration; settings: MailboxSettings; secret: MailSecret | null }> {
  const { mailbox, stored } = await dependencies.database.inTenant(ref.tenantId, async (em) => {
    const mailbox = await em.findOneOrFail(Integration, { id: ref.integrationId });
    const credential = await em.findOne(Credential, { ownerId: mailbox.id, name: password });
    await readBefore?.(em);
    return { mailbox, stored: credential?.reveal(dependencies.keys) ?? null };
  });
  const settings = mailbox.mailboxSettings();
  if (settings.oauth)
    return { mailbox, settings, secret: { accessToken: await accessTokenOf(dependencies, ref, settings.oauth) } };
  return { mailbox, settings, secret: stored === null ? null : { password: stored } };
}

function isRefusedLogin(error: unknown): boolean {
  return error instanceof ApplicationFailure && error.type === 'mailbox-refused-credentials';
}

function isRefusedEnd(end: TransmitEnd): boolean {
  return end.outcome === 'failed' && end.failure === 'credentials-refused';
}
