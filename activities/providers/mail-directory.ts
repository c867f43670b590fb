// Finds the servers of an address whose provider nobody knows: what its domain says itself, what others know of it, who
// takes in its mail; then a guess. Everything is asked at once and the surest answer is taken.
import { Resolver } from 'node:dns/promises';
import type { MailServer } from '#domain/integrations/integration.ts';
import { guessMailServers, type MailServersFound, providerOfExchangers } from '#domain/integrations/mail-providers.ts';
import { domainOf } from '#domain/rules/email-address.ts';
import { readAutoconfig } from '../readers/autoconfig.ts';
import { fetchGuarded } from './guarded-fetch.ts';

const ANSWER_WITHIN_MS = 5_000;
const LARGEST_CONFIG_BYTES = 100_000;
/** Mozilla's list of providers; it is told the domain and not the address. */
const LIST_OF_PROVIDERS = 'https://autoconfig.thunderbird.net/v1.1';

export type Sources = {
  fetch: (url: string) => Promise<Buffer>;
  dns: Pick<Resolver, 'resolveSrv' | 'resolveMx'>;
};

const THE_INTERNET: Sources = {
  fetch: (url) =>
    fetchGuarded(url, {
      largestBytes: LARGEST_CONFIG_BYTES,
      timeoutMs: ANSWER_WITHIN_MS,
      trustedOrigin: '',
      headersFor: () => ({}),
    }),
  dns: new Resolver({ timeout: ANSWER_WITHIN_MS / 2, tries: 2 }),
};

/** @param address already known to be an address */
export async function lookUpMailServers(address: string, sources: Sources = THE_INTERNET): Promise<MailServersFound> {
  const domain = domainOf(address) ?? '';
  const answers = await Promise.all(
    [
      fromConfig(sources, `https://autoconfig.${domain}/mail/config-v1.1.xml`, address),
      fromConfig(sources, `https://${domain}/.well-known/autoconfig/mail/config-v1.1.xml`, address),
      fromServiceRecords(sources, domain, address),
      fromConfig(sources, `${LIST_OF_PROVIDERS}/${domain}`, address),
      fromExchangers(sources, domain, address),
    ].map((answer) => answer.catch(() => null)),
  );
  return answers.find((answer) => answer !== null) ?? guessMailServers(address);
}

async function fromConfig({ fetch }: Sources, url: string, address: string): Promise<MailServersFound | null> {
  const config = await readAutoconfig((await fetch(url)).toString('utf8'), address);
  if (!config) return null;
  const { name, imap, smtp } = config;
  return { provider: name, imap, smtp, hint: null, source: 'autoconfig', foundAt: new URL(url).host };
}

// RFC 6186 and RFC 8314: with TLS from the beginning. A target of `.` says that there is no such service.
async function fromServiceRecords({ dns }: Sources, domain: string, address: string): Promise<MailServersFound | null> {
  const service = async (name: string): Promise<MailServer | null> => {
    const [first] = (await dns.resolveSrv(`${name}.${domain}`)).sort(
      (a, b) => a.priority - b.priority || b.weight - a.weight,
    );
    const host = first?.name.replace(/\.$/, '').toLowerCase();
    return first && host ? { host, port: first.port, security: 'tls', username: address } : null;
  };
  const [imap, smtp] = await Promise.all([service('_imaps._tcp'), service('_submissions._tcp')]);
  return imap && smtp ? { provider: null, imap, smtp, hint: null, source: 'srv', foundAt: domain } : null;
}

async function fromExchangers({ dns }: Sources, domain: string, address: string): Promise<MailServersFound | null> {
  const exchangers = (await dns.resolveMx(domain)).sort((a, b) => a.priority - b.priority);
  return providerOfExchangers(
    exchangers.map(({ exchange }) => exchange),
    address,
  );
}
