// The settings of the installation a command is about: those of the environment, or of the house in RELAIS_HOME.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { houseSecrets, PROJECT_ROOT } from '../house/home.ts';
import { DATABASE, POSTGRES_PORT } from '../house/house.ts';
import { StartProblem } from '../house/progress.ts';
import { APP_ROLE } from '../house/provision.ts';

/** @throws StartProblem when neither is there */
export function installationSettings(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (env.DATABASE_URL) return env;
  const home = path.resolve(PROJECT_ROOT, env.RELAIS_HOME ?? 'data');
  if (!existsSync(path.join(home, 'secrets.json'))) {
    throw new StartProblem(
      `There is no installation in ${home}: set RELAIS_HOME to its folder, or DATABASE_URL and ENCRYPTION_KEY.`,
    );
  }
  const { appPassword, encryptionKey, encryptionKeysPrevious } = houseSecrets(home);
  const port = env.POSTGRES_PORT ?? POSTGRES_PORT;
  return {
    ENCRYPTION_KEY: encryptionKey,
    ENCRYPTION_KEYS_PREVIOUS: encryptionKeysPrevious.join(','),
    ...env,
    DATABASE_URL: `postgres://${APP_ROLE}:${encodeURIComponent(appPassword)}@127.0.0.1:${port}/${DATABASE}`,
  };
}
