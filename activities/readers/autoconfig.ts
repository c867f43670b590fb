// What a mail provider says of its servers, in Mozilla's format (wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat).
// Only encrypted servers that take a password are taken from it.
import type { MailServer, ServerSecurity } from '#domain/integrations/integration.ts';

const SERVERS: Record<string, { element: string; type: string }> = {
  imap: { element: 'incomingserver', type: 'imap' },
  smtp: { element: 'outgoingserver', type: 'smtp' },
};
const SECURITY: Record<string, ServerSecurity> = { SSL: 'tls', STARTTLS: 'starttls' };
const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;
const PASSWORDS = ['password-cleartext', 'password-encrypted', 'plain'];
const LONGEST_VALUE = 300;

type Said = { element: string; type: string; values: Map<string, string[]> };

export type Autoconfig = { imap: MailServer; smtp: MailServer; name: string | null };

/** @returns null when it names no server for receiving or none for sending that we would use */
export async function readAutoconfig(xml: string, address: string): Promise<Autoconfig | null> {
  const { servers, name } = await parse(xml);
  const pick = ({ element, type }: { element: string; type: string }) =>
    servers
      .filter((said) => said.element === element && said.type === type)
      .map((said) => serverOf(said, address))
      .find((server) => server !== null);
  const imap = pick(SERVERS.imap!);
  const smtp = pick(SERVERS.smtp!);
  return imap && smtp ? { imap, smtp, name } : null;
}

async function parse(xml: string): Promise<{ servers: Said[]; name: string | null }> {
  // When it is needed and not at the start: the sanitiser of mails requires it too, and a loader of tests takes that for
  // a cycle.
  const { Parser } = await import('htmlparser2');
  const servers: Said[] = [];
  const path: string[] = [];
  let name: string | null = null;
  let text = '';
  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        const element = tag.toLowerCase();
        path.push(element);
        text = '';
        if (element === 'incomingserver' || element === 'outgoingserver')
          servers.push({ element, type: (attributes.type ?? '').toLowerCase(), values: new Map() });
      },
      ontext(more) {
        if (text.length < LONGEST_VALUE) text += more;
      },
      onclosetag() {
        const field = path.pop() ?? '';
        const value = text.trim().slice(0, LONGEST_VALUE);
        text = '';
        const parent = path.at(-1);
        if (parent === 'emailprovider' && field === 'displayname') name ??= value || null;
        const server = servers.at(-1);
        if (!server || parent !== server.element) return;
        server.values.set(field, [...(server.values.get(field) ?? []), value]);
      },
    },
    { xmlMode: true },
  );
  parser.end(xml);
  return { servers, name };
}

function serverOf({ values }: Said, address: string): MailServer | null {
  const first = (field: string) => values.get(field)?.[0] ?? '';
  const security = SECURITY[first('sockettype').toUpperCase()];
  const port = Number(first('port'));
  const host = filled(first('hostname'), address);
  const takesPassword = (values.get('authentication') ?? ['plain']).some((way) =>
    PASSWORDS.includes(way.toLowerCase()),
  );
  if (!security || !takesPassword || !HOST.test(host) || !Number.isInteger(port) || port < 1 || port > 65_535)
    return null;
  return { host: host.toLowerCase(), port, security, username: filled(first('username'), address) || address };
}

function filled(value: string, address: string): string {
  const [local = '', domain = ''] = address.split('@');
  return value
    .replaceAll('%EMAILADDRESS%', address)
    .replaceAll('%EMAILLOCALPART%', local)
    .replaceAll('%EMAILDOMAIN%', domain);
}
