// Acknowledgements a second: the product's API, alone and without workers, beside a bare door (bare-door.ts), in turn.
// Each answers 202 only after its commit; afterwards the rows are counted.
import { fork } from 'node:child_process';
import path from 'node:path';
import { freePort } from '../bin/house/ports.ts';
import { APP_ROLE } from '../bin/house/provision.ts';
import type { BenchHouse } from './house.ts';
import type { Knocked, KnockOrder } from './knock.ts';

const CONNECTIONS = 32;

export type Acknowledgements = { product: Knocked[]; bare: Knocked[] };

export async function measureAcknowledgements(
  house: BenchHouse,
  size: { rounds: number; seconds: number },
  say: (line: string) => void,
): Promise<Acknowledgements> {
  const { url, secret } = house.company.webhook;
  const bareUrl = await openBareDoor(house, secret);
  const at = (door: string) => knock({ url: door, secret, seconds: size.seconds, connections: CONNECTIONS });
  const before = await receipts(house);
  const product: Knocked[] = [];
  const bare: Knocked[] = [];
  for (let round = 0; round <= size.rounds; round += 1) {
    product.push(await at(url));
    bare.push(await at(bareUrl));
    const title = round === 0 ? 'not counted' : `round ${round}`;
    say(`${title}: product ${line(product[round]!)}; bare ${line(bare[round]!)}`);
  }
  const kept = (await receipts(house)) - before;
  const accepted = product.reduce((sum, one) => sum + one.accepted, 0);
  if (kept < accepted) throw new Error(`${accepted} messages were acknowledged and ${kept} were kept.`);
  return { product: product.slice(1), bare: bare.slice(1) };
}

async function openBareDoor(house: BenchHouse, secret: string): Promise<string> {
  await house.owner.query(`
    create table bare_receipt (id uuid primary key, source_id text not null, raw bytea not null);
    grant insert on bare_receipt to ${APP_ROLE}`);
  const port = String(await freePort());
  await house.startNode('bare-door', 'bench/bare-door.ts', [], { BARE_PORT: port, BARE_SECRET: secret });
  return `http://127.0.0.1:${port}/`;
}

async function receipts({ owner }: BenchHouse): Promise<number> {
  const { rows } = await owner.query('select count(*)::int as kept from receipt');
  return rows[0].kept;
}

function knock(order: KnockOrder): Promise<Knocked> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(import.meta.dirname, 'knock.ts'), [JSON.stringify(order)]);
    child.once('message', (counted) => {
      const knocked = counted as Knocked;
      if (knocked.failed > 0) reject(new Error(`${order.url} did not accept ${knocked.failed} messages.`));
      else resolve(knocked);
    });
    child.once('exit', (code) => reject(new Error(`The load ended with ${code} and without figures.`)));
  });
}

function line({ perSecond, p99 }: Knocked): string {
  return `${perSecond.toFixed(0)}/s, p99 ${p99.toFixed(0)} ms`;
}
