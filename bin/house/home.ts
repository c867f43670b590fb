// The one folder where a local installation keeps its data, logs and secrets.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { needRoom } from './postgres.ts';

export type HouseSecrets = {
  superuserPassword: string;
  ownerPassword: string;
  appPassword: string;
  authSecret: string;
  encryptionKey: string;
  encryptionKeysPrevious: string[];
  setupToken: string;
};

const ROOM_NEEDED_BYTES = 500_000_000;

export const PROJECT_ROOT = path.resolve(import.meta.dirname, '..', '..');

/** @throws StartProblem when it cannot be written or the disk is full */
export function openHome(): string {
  const home = path.resolve(PROJECT_ROOT, process.env.RELAIS_HOME ?? 'data');
  for (const folder of ['', 'logs', 'run', 'files']) mkdirSync(path.join(home, folder), { recursive: true });
  const { bavail, bsize } = statfsSync(home);
  needRoom(home, bavail * bsize, ROOM_NEEDED_BYTES);
  return home;
}

/** Made at the first start and kept readable by their owner only. */
export function houseSecrets(home: string): HouseSecrets {
  const file = path.join(home, 'secrets.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  const secrets: HouseSecrets = {
    superuserPassword: secret(),
    ownerPassword: secret(),
    appPassword: secret(),
    authSecret: secret(),
    encryptionKey: randomBytes(32).toString('base64'),
    encryptionKeysPrevious: [],
    setupToken: secret(),
  };
  writeSecrets(home, secrets);
  return secrets;
}

export function writeSecrets(home: string, secrets: HouseSecrets): void {
  const file = path.join(home, 'secrets.json');
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}
