// Fetches a file from an address that somebody else wrote. Only https, only public hosts: the address is checked at the
// moment of connecting, so that a name cannot point elsewhere the second time it is asked for. Bounded in size and time.
import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const MOST_REDIRECTS = 3;

export type GuardedOptions = {
  largestBytes: number;
  timeoutMs: number;
  /** An origin the operator has configured: it may be private, and speak plain http. */
  trustedOrigin: string | null;
  /** Headers for this address; asked again for every redirect, so that none goes to a host it is not for. */
  headersFor: (url: URL) => Record<string, string>;
};

export type FetchProblem = 'not-allowed' | 'too-large' | 'refused' | 'unreachable';

export class FetchFailed extends Error {
  override name = 'FetchFailed';
  readonly problem: FetchProblem;

  constructor(problem: FetchProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/** @throws FetchFailed; `unreachable` may be tried again, the others bring the same */
export async function fetchGuarded(address: string, options: GuardedOptions): Promise<Buffer> {
  let url = parse(address, options);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await get(url, options);
    if ('content' in answer) return answer.content;
    url = parse(new URL(answer.location, url).href, options);
  }
  throw new FetchFailed('refused', 'The file moves from address to address.');
}

function parse(address: string, { trustedOrigin }: GuardedOptions): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url) throw new FetchFailed('not-allowed', 'The address of the file is none.');
  if (url.origin === trustedOrigin) return url;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol !== 'https:' || url.username !== '' || (isIP(host) !== 0 && isPrivate(host)))
    throw new FetchFailed('not-allowed', 'Files are fetched from public addresses by https only.');
  return url;
}

function get(url: URL, options: GuardedOptions): Promise<{ content: Buffer } | { location: string }> {
  const { timeoutMs, largestBytes, headersFor, trustedOrigin } = options;
  const trusted = url.origin === trustedOrigin;
  return new Promise((resolve, reject) => {
    const fail = (problem: FetchProblem, message: string) => reject(new FetchFailed(problem, message));
    const request = (url.protocol === 'http:' ? http : https).get(
      url,
      {
        headers: { 'user-agent': 'Relais', accept: '*/*', ...headersFor(url) },
        signal: AbortSignal.timeout(timeoutMs),
        ...(trusted ? {} : { lookup: publicOnly }),
      },
      (response) => {
        const { statusCode = 0, headers } = response;
        response.on('error', () => fail('unreachable', 'The connection was lost.'));
        if (statusCode >= 300 && statusCode < 400 && headers.location) {
          response.destroy();
          return resolve({ location: headers.location });
        }
        if (statusCode !== 200) {
          response.destroy();
          const later = statusCode === 429 || statusCode >= 500;
          return fail(later ? 'unreachable' : 'refused', `The host answered ${statusCode}.`);
        }
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size <= largestBytes) return;
          fail('too-large', `It is larger than ${Math.floor(largestBytes / 1_000_000)} MB.`);
          response.destroy();
        });
        response.on('end', () => resolve({ content: Buffer.concat(chunks) }));
      },
    );
    request.on('error', (error) => {
      if (error instanceof FetchFailed) reject(error);
      else fail('unreachable', 'The host could not be reached.');
    });
  });
}

const publicOnly: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 4);
    const allowed = addresses.filter(({ address }) => !isPrivate(address));
    const [first] = allowed;
    if (!first) return callback(new FetchFailed('not-allowed', 'The host is in a private network.'), '', 4);
    if (options.all) return callback(null, allowed);
    callback(null, first.address, first.family);
  });
};

// IANA's registries of special-purpose addresses (RFC 6890), and multicast.
const RESERVED = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  RESERVED.addSubnet(net, bits, 'ipv4');
}
// Of IPv6 only global unicast is public (2000::/3), without the parts that lead back into IPv4 or are documentation.
const GLOBAL_V6 = new BlockList();
GLOBAL_V6.addSubnet('2000::', 3, 'ipv6');
const RESERVED_V6 = new BlockList();
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  RESERVED_V6.addSubnet(net, bits, 'ipv6');
}

export function isPrivate(address: string): boolean {
  if (isIP(address) === 4) return RESERVED.check(address, 'ipv4');
  return !GLOBAL_V6.check(address, 'ipv6') || RESERVED_V6.check(address, 'ipv6');
}
