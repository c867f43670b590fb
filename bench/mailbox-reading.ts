// Mails a second from a mail server: kept by the product, then recorded as conversations, beside the bare loop. Each round
// has a mailbox of its own, read by the bare loop first.
import { readBarely } from './bare-loop.ts';
import type { BenchHouse } from './house.ts';
import { connectMailbox, type MailServers, makeMailbox, whenThere } from './mailboxes.ts';

type Rates = { bare: number; kept: number; recorded: number };
export type ReadingRates = Record<keyof Rates, number[]>;

const ROUND_WITHIN_MS = 300_000;

/** After one small round that is not counted. */
export async function measureReading(
  house: BenchHouse,
  servers: MailServers,
  size: { rounds: number; mails: number },
  say: (line: string) => void,
): Promise<ReadingRates> {
  const rates: ReadingRates = { bare: [], kept: [], recorded: [] };
  say(`not counted: ${line(await oneRound(house, servers, 'round-0', Math.ceil(size.mails / 5)))}`);
  for (let round = 1; round <= size.rounds; round += 1) {
    const measured = await oneRound(house, servers, `round-${round}`, size.mails);
    say(`round ${round}: ${line(measured)}`);
    for (const name of ['bare', 'kept', 'recorded'] as const) rates[name].push(measured[name]);
  }
  return rates;
}

async function oneRound(house: BenchHouse, servers: MailServers, name: string, count: number): Promise<Rates> {
  const address = makeMailbox(servers, name, count);
  const bare = await readBarely(house.env.DATABASE_URL!, { port: servers.dovecot.port, address });
  if (bare.mails !== count) throw new Error(`The bare loop read ${bare.mails} of ${count} mails.`);
  const { id, askedAt } = await connectMailbox(house, servers, address);
  const keptAt = await whenThere(house, 'receipts', id, count, ROUND_WITHIN_MS);
  const recordedAt = await whenThere(house, 'messages', id, count, ROUND_WITHIN_MS);
  const perSecond = (ms: number) => (count / ms) * 1000;
  return { bare: perSecond(bare.ms), kept: perSecond(keptAt - askedAt), recorded: perSecond(recordedAt - askedAt) };
}

function line({ bare, kept, recorded }: Rates): string {
  return `kept ${kept.toFixed(0)}/s, conversations ${recorded.toFixed(1)}/s, bare loop ${bare.toFixed(0)}/s`;
}
