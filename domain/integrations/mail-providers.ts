// The servers of the mail providers that our clients' companies use, found by the domain of an address or by who takes
// in the mail of that domain. Where nobody knows, the usual names are proposed; the trial tells whether they are right.
import { domainOf } from '#domain/rules/email-address.ts';
import type { MailServerSource } from '#domain/rules/words.ts';
import type { MailServer, ServerSecurity } from './integration.ts';

export type MailServersFound = {
  /** null when the provider is not known and the names are a guess. */
  provider: string | null;
  imap: MailServer;
  smtp: MailServer;
  /** A code for the sentence that helps: `app-password`, `oauth-recommended`. */
  hint: string | null;
  source: MailServerSource;
  /** The host or domain that said so. */
  foundAt: string | null;
};

type Provider = {
  name: string;
  domains: string[];
  imap: string;
  smtp: string;
  /** The hosts that take in the mail of its customers' own domains, and what that offer is called. */
  exchangers?: RegExp;
  offer?: string;
  smtpPort?: number;
  smtpSecurity?: ServerSecurity;
  hint?: string;
};

const PROVIDERS: Provider[] = [
  {
    name: 'Gmail',
    exchangers: /(^|\.)(google|googlemail)\.com$/,
    offer: 'Google Workspace',
    domains: ['gmail.com', 'googlemail.com'],
    imap: 'imap.gmail.com',
    smtp: 'smtp.gmail.com',
    hint: 'app-password',
  },
  {
    name: 'Outlook',
    exchangers: /\.mail\.protection\.outlook\.com$/,
    offer: 'Microsoft 365',
    domains: ['outlook.com', 'outlook.fr', 'hotmail.com', 'hotmail.fr', 'live.com', 'live.fr', 'msn.com'],
    imap: 'outlook.office365.com',
    smtp: 'smtp.office365.com',
    smtpPort: 587,
    smtpSecurity: 'starttls',
    hint: 'oauth-recommended',
  },
  {
    name: 'Yahoo',
    exchangers: /\.yahoodns\.net$/,
    domains: ['yahoo.com', 'yahoo.fr', 'ymail.com'],
    imap: 'imap.mail.yahoo.com',
    smtp: 'smtp.mail.yahoo.com',
    hint: 'app-password',
  },
  {
    name: 'iCloud',
    exchangers: /\.mail\.icloud\.com$/,
    domains: ['icloud.com', 'me.com', 'mac.com'],
    imap: 'imap.mail.me.com',
    smtp: 'smtp.mail.me.com',
    smtpPort: 587,
    smtpSecurity: 'starttls',
    hint: 'app-password',
  },
  { name: 'Orange', domains: ['orange.fr', 'wanadoo.fr'], imap: 'imap.orange.fr', smtp: 'smtp.orange.fr' },
  { name: 'Free', domains: ['free.fr'], imap: 'imap.free.fr', smtp: 'smtp.free.fr' },
  { name: 'SFR', domains: ['sfr.fr', 'neuf.fr', 'numericable.fr'], imap: 'imap.sfr.fr', smtp: 'smtp.sfr.fr' },
  { name: 'La Poste', domains: ['laposte.net'], imap: 'imap.laposte.net', smtp: 'smtp.laposte.net' },
  { name: 'Bouygues', domains: ['bbox.fr'], imap: 'imap.bbox.fr', smtp: 'smtp.bbox.fr' },
  { name: 'GMX', domains: ['gmx.com', 'gmx.fr'], imap: 'imap.gmx.com', smtp: 'mail.gmx.com' },
  { name: 'GMX', domains: ['gmx.de', 'gmx.net', 'gmx.at', 'gmx.ch'], imap: 'imap.gmx.net', smtp: 'mail.gmx.net' },
  {
    name: 'OVH',
    exchangers: /\.ovh\.(net|com|ca)$/,
    domains: ['ovh.net', 'ovh.fr'],
    imap: 'ssl0.ovh.net',
    smtp: 'ssl0.ovh.net',
  },
  {
    name: 'Gandi',
    exchangers: /\.gandi\.net$/,
    domains: ['gandi.net'],
    imap: 'mail.gandi.net',
    smtp: 'mail.gandi.net',
  },
  {
    name: 'Infomaniak',
    exchangers: /\.infomaniak\.(ch|com)$/,
    domains: ['infomaniak.com', 'ik.me', 'etik.com'],
    imap: 'mail.infomaniak.com',
    smtp: 'mail.infomaniak.com',
  },
  {
    name: 'IONOS',
    exchangers: /\.(ionos|1and1)\.(fr|com)$/,
    domains: ['ionos.fr', 'ionos.com', '1and1.fr'],
    imap: 'imap.ionos.fr',
    smtp: 'smtp.ionos.fr',
  },
  {
    name: 'Zoho',
    exchangers: /\.zoho\.eu$/,
    domains: ['zoho.com', 'zohomail.eu'],
    imap: 'imap.zoho.eu',
    smtp: 'smtp.zoho.eu',
  },
  {
    name: 'Fastmail',
    exchangers: /\.messagingengine\.com$/,
    domains: ['fastmail.com', 'fastmail.fm'],
    imap: 'imap.fastmail.com',
    smtp: 'smtp.fastmail.com',
    hint: 'app-password',
  },
];

const IMAPS_PORT = 993;
const SUBMISSIONS_PORT = 465;

/** @param address already known to be an address */
export function findMailServers(address: string): MailServersFound {
  const domain = domainOf(address) ?? '';
  const provider = PROVIDERS.find((candidate) => candidate.domains.includes(domain));
  return provider
    ? { ...serversOf(provider, address), provider: provider.name, source: 'preset', foundAt: null }
    : guessMailServers(address);
}

/** @param exchangers hosts of MX records, the preferred first */
export function providerOfExchangers(exchangers: readonly string[], address: string): MailServersFound | null {
  for (const exchanger of exchangers) {
    const host = exchanger.toLowerCase().replace(/\.$/, '');
    const provider = PROVIDERS.find((candidate) => candidate.exchangers?.test(host));
    if (provider)
      return {
        ...serversOf(provider, address),
        provider: provider.offer ?? provider.name,
        source: 'mx',
        foundAt: host,
      };
  }
  return null;
}

export function guessMailServers(address: string): MailServersFound {
  const domain = domainOf(address) ?? '';
  return {
    provider: null,
    imap: { host: `imap.${domain}`, port: IMAPS_PORT, security: 'tls', username: address },
    smtp: { host: `smtp.${domain}`, port: SUBMISSIONS_PORT, security: 'tls', username: address },
    hint: null,
    source: 'guess',
    foundAt: null,
  };
}

function serversOf(provider: Provider, address: string): Pick<MailServersFound, 'imap' | 'smtp' | 'hint'> {
  return {
    imap: { host: provider.imap, port: IMAPS_PORT, security: 'tls', username: address },
    smtp: {
      host: provider.smtp,
      port: provider.smtpPort ?? SUBMISSIONS_PORT,
      security: provider.smtpSecurity ?? 'tls',
      username: address,
    },
    hint: provider.hint ?? null,
  };
}
