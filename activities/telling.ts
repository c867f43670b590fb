// Mails of the installation to the people who run a company's Relais.
import { Readable } from 'node:stream';
import MailComposer from 'nodemailer/lib/mail-composer';
import { Integration } from '#domain/integrations/integration.ts';
import { claimLossNotice, releaseLossNotice } from '#domain/integrations/lose-mailbox.ts';
import { administratorsOf } from '#domain/people/administrators.ts';
import type { Locale } from '#domain/rules/words.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import type { LostMailboxInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { later } from './failures.ts';
import { transmit } from './providers/smtp.ts';

export function createTelling({ database, installationMail, appUrl, patience }: Dependencies) {
  return {
    /**
     * Tells the admins that a mailbox waits for them, once: the claim is made before the last byte leaves.
     * @throws ApplicationFailure while the mail server of the installation is away
     */
    async tellOfLostMailbox({ tenantId, integrationId }: LostMailboxInput): Promise<void> {
      const to = await administratorsOf(database, tenantId);
      if (!installationMail || to.length === 0) return;
      const { mailbox, locale } = await database.inTenant(tenantId, async (em) => ({
        mailbox: await em.findOneOrFail(Integration, { id: integrationId }),
        locale: (await em.findOneOrFail(Tenant, { id: tenantId })).locale,
      }));
      if (mailbox.state !== 'reconnect' || mailbox.reconnectToldAt) return;
      const { from } = installationMail;
      const source = await new MailComposer({
        from,
        to,
        ...lostMailboxWords(locale, mailbox, appUrl),
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
        .compile()
        .build();
      const end = await transmit(installationMail, { from, to }, () => Readable.from([source]), {
        timeoutMs: patience.smtpTimeoutMs,
        beforeFinalDot: () => database.inTenant(tenantId, (em) => claimLossNotice(em, integrationId)),
      });
      if (end.outcome !== 'retry' || end.failure === 'taken-over') return;
      await database.inTenant(tenantId, (em) => releaseLossNotice(em, integrationId));
      throw later('mailbox-unreachable', 'The mail server of the installation did not take the mail.');
    },
  };
}

function lostMailboxWords(
  locale: Locale,
  { name, address }: Integration,
  appUrl: string | null,
): { subject: string; text: string } {
  const link = appUrl ? `\n\n${appUrl}/settings/channels` : '';
  if (locale === 'fr') {
    return {
      subject: `La boîte ${name} est à reconnecter`,
      text: `Bonjour,\n\nRelais ne peut plus ouvrir la boîte ${address} : son mot de passe ou son autorisation n’est plus accepté. Ses nouveaux messages n’arrivent plus et ses réponses ne partent plus.\n\nReconnectez-la dans Réglages, Canaux. Rien n’est perdu : les messages reçus entre-temps arriveront alors.${link}\n`,
    };
  }
  return {
    subject: `The mailbox ${name} must be reconnected`,
    text: `Hello,\n\nRelais can no longer open the mailbox ${address}: its password or its permission is not accepted any more. Its new messages do not arrive, and its answers do not leave.\n\nReconnect it in Settings, Channels. Nothing is lost: what was received meanwhile will arrive then.${link}\n`,
  };
}
