// The servers of an address whose provider nobody knows. The internet is a stand-in here: it answers what a domain would.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { lookUpMailServers, type Sources } from '#activities/providers/mail-directory.ts';
import { readAutoconfig } from '#activities/readers/autoconfig.ts';
import { Trial } from '#domain/secrets/trial.ts';
import { type Company, Road } from '../support/road.ts';
import { until } from '../support/until.ts';

const ADDRESS = 'maya@boutique.example';

function config(incoming: string, outgoing: string): string {
  return `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">
    <domain>boutique.example</domain><displayName>Hébergeur &amp; Fils</displayName>
    <incomingServer type="pop3"><hostname>pop.x.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
    ${incoming}${outgoing}</emailProvider></clientConfig>`;
}

function server(kind: 'incoming' | 'outgoing', host: string, port: number, more = '<socketType>SSL</socketType>') {
  return `<${kind}Server type="${kind === 'incoming' ? 'imap' : 'smtp'}"><hostname>${host}</hostname><port>${port}</port>
    <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication>${more}</${kind}Server>`;
}

const GOOD = config(server('incoming', 'imap.x.example', 993), server('outgoing', 'smtp.x.example', 465));

type Answers = { configs?: Record<string, string>; srv?: Record<string, [string, number]>; mx?: string[] };

function internet({ configs = {}, srv = {}, mx = [] }: Answers): Sources {
  const missing = () => Promise.reject(new Error('not there'));
  return {
    fetch: (url) => (configs[url] ? Promise.resolve(Buffer.from(configs[url])) : missing()),
    dns: {
      resolveSrv: (name: string) => {
        const found = srv[name];
        return found ? Promise.resolve([{ name: found[0], port: found[1], priority: 0, weight: 1 }]) : missing();
      },
      resolveMx: () =>
        mx.length > 0 ? Promise.resolve(mx.map((exchange, priority) => ({ exchange, priority }))) : missing(),
    } as Sources['dns'],
  };
}

const OWN = 'https://autoconfig.boutique.example/mail/config-v1.1.xml';
const SRV = {
  '_imaps._tcp.boutique.example': ['mail.boutique.example', 993] as [string, number],
  '_submissions._tcp.boutique.example': ['mail.boutique.example', 465] as [string, number],
};

describe('the servers of an address', () => {
  test.each([
    ['are the ones its domain publishes', { configs: { [OWN]: GOOD }, srv: SRV }, 'autoconfig', 'imap.x.example'],
    ['are the ones its service records name', { srv: SRV, mx: ['mx1.mail.ovh.net'] }, 'srv', 'mail.boutique.example'],
    [
      'are the ones Mozilla’s list knows',
      { configs: { 'https://autoconfig.thunderbird.net/v1.1/boutique.example': GOOD } },
      'autoconfig',
      'imap.x.example',
    ],
    ['are usual, when nobody knows any', {}, 'guess', 'imap.boutique.example'],
  ] as [string, Answers, string, string][])('%s', async (_, answers, source, host) => {
    const found = await lookUpMailServers(ADDRESS, internet(answers));
    expect(found).toMatchObject({ source, imap: { host, port: 993, security: 'tls', username: ADDRESS } });
  });

  test.each([
    ['aspmx.l.google.com', 'Google Workspace', 'imap.gmail.com'],
    ['boutique-example.mail.protection.outlook.com.', 'Microsoft 365', 'outlook.office365.com'],
    ['mx1.mail.ovh.net', 'OVH', 'ssl0.ovh.net'],
    ['spool.mail.gandi.net', 'Gandi', 'mail.gandi.net'],
    ['mta-gw.infomaniak.ch', 'Infomaniak', 'mail.infomaniak.com'],
  ])('are those of the provider whose %s takes in its mail', async (exchange, provider, host) => {
    const found = await lookUpMailServers(ADDRESS, internet({ mx: ['mx.other.example', exchange] }));
    expect(found).toMatchObject({ source: 'mx', provider, imap: { host } });
  });

  test('are not taken from a record that says there are none', async () => {
    const srv = { ...SRV, '_imaps._tcp.boutique.example': ['.', 0] as [string, number] };
    expect(await lookUpMailServers(ADDRESS, internet({ srv }))).toMatchObject({ source: 'guess' });
  });
});

describe('a configuration in Mozilla’s format', () => {
  test('gives the first server of each kind that is encrypted and takes a password', async () => {
    const plain = server('incoming', 'plain.x.example', 143, '<socketType>plain</socketType>');
    const oauth = server('incoming', 'oauth.x.example', 993).replace('password-cleartext', 'OAuth2');
    const starttls = server('outgoing', 'smtp.x.example', 587, '<socketType>STARTTLS</socketType>');
    const xml = config(plain + oauth + server('incoming', 'IMAP.%EMAILDOMAIN%', 993), starttls);
    expect(await readAutoconfig(xml, ADDRESS)).toEqual({
      name: 'Hébergeur & Fils',
      imap: { host: 'imap.boutique.example', port: 993, security: 'tls', username: ADDRESS },
      smtp: { host: 'smtp.x.example', port: 587, security: 'starttls', username: ADDRESS },
    });
  });

  test.each([
    ['a page that is no configuration', '<html><body>Bonjour</body></html>'],
    ['no server for sending', config(server('incoming', 'imap.x.example', 993), '')],
    ['a host that is none', GOOD.replace('imap.x.example', 'imap.x.example/../a b')],
    ['a port that is none', GOOD.replace('>993<', '>99999<')],
    ['something cut off', GOOD.slice(0, 300)],
    ['nothing', ''],
  ])('gives nothing for %s', async (_, xml) => {
    expect(await readAutoconfig(xml, ADDRESS)).toBeNull();
  });
});

describe('a look-up asked for by an admin', () => {
  let road: Road;
  let acme: Company;
  let globex: Company;

  beforeAll(async () => {
    road = await Road.open();
    acme = await road.company('acme');
    globex = await road.company('globex');
  });

  afterAll(() => road?.close());

  test('comes to a guess where nobody answers, is sealed, and is nobody else’s', async () => {
    // RFC 6761: nobody will ever answer for this domain.
    const { id } = await acme.owner.api.lookUpMailServers({ body: { address: 'maya@nulle-part.invalid' } });
    const params = { id };
    const found = await until(
      'it is over',
      async () => (await acme.owner.api.getMailServerLookUp({ params })).found,
      40_000,
    );
    expect(found).toMatchObject({ source: 'guess', imap: { host: 'imap.nulle-part.invalid' } });
    const row = await road.db.database.inTenant(acme.tenantId, (em) => em.findOneOrFail(Trial, { id }));
    expect(row.sealedInput).not.toContain('nulle-part');
    await expect(globex.owner.api.getMailServerLookUp({ params })).rejects.toMatchObject({ problem: { status: 404 } });
    const agent = await road.person(acme, 'agent', 'Tom');
    await expect(agent.api.lookUpMailServers({ body: { address: ADDRESS } })).rejects.toMatchObject({
      problem: { status: 403 },
    });
  });
});

test('what a provider says, damaged anywhere, gives encrypted servers or none', async () => {
  const noise = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('<socketType>plain</socketType>', '</', '<!--'));
  await fc.assert(
    fc.asyncProperty(fc.nat(GOOD.length), fc.nat(60), noise, async (at, cut, more) => {
      const said = await readAutoconfig(GOOD.slice(0, at) + more + GOOD.slice(at + cut), ADDRESS);
      for (const { host, port, security } of said ? [said.imap, said.smtp] : []) {
        expect(['tls', 'starttls']).toContain(security);
        expect(host).toMatch(/^[a-z0-9.-]+$/);
        expect(port).toBeGreaterThan(0);
      }
    }),
    { numRuns: process.env.TEST_SIZE === 'long' ? 10_000 : 200 },
  );
});
