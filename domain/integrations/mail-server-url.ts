// Mail servers in settings of the installation: `imaps://imap.example.com`, `smtp://user:password@smtp.example.com:587`.
import type { ServerSecurity } from './integration.ts';

const PORTS: Record<string, number> = { 'imaps:': 993, 'imap:': 143, 'smtps:': 465, 'smtp:': 587 };

export type ServerAddress = { host: string; port: number; security: ServerSecurity };

/** `imap:` and `smtp:` mean STARTTLS; `?security=none` is for a server on this machine. */
export function mailServerFrom(url: URL): ServerAddress {
  const plain = url.searchParams.get('security') === 'none';
  return {
    host: url.hostname,
    port: Number(url.port || PORTS[url.protocol]),
    security: url.protocol.endsWith('s:') ? 'tls' : plain ? 'none' : 'starttls',
  };
}
