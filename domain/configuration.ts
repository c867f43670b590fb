// Settings come from the environment, are read once at start, and every fault is told in one list. A variable NAME may
// be given as NAME_FILE, the path of a file that holds it (as container secrets are).
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { missingForS3, storageSettings } from '#domain/attachments/storage-settings.ts';
import type { MailServer } from '#domain/integrations/integration.ts';
import { mailServerFrom } from '#domain/integrations/mail-server-url.ts';
import { oauthSettings } from '#domain/integrations/oauth-provider.ts';

/** Printed without a stack: the message is the whole help a person needs. */
export class ConfigurationProblem extends Error {
  override name = 'ConfigurationProblem';
}

/** @throws ConfigurationProblem listing every variable that is missing or wrong */
export function readConfiguration<Shape extends z.ZodObject>(shape: Shape, env: NodeJS.ProcessEnv): z.output<Shape> {
  const values = valuesOf(Object.keys(shape.shape), env);
  const result = shape.safeParse(values);
  const missing = missingForS3(values);
  if (result.success && missing.length === 0) return result.data;
  const faults = (result.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const list = [...faults, ...missing].map((fault) => `  ${fault}`).join('\n');
  throw new ConfigurationProblem(`These settings need a change (see .env.example):\n${list}`);
}

function valuesOf(names: string[], env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = {};
  for (const name of names) {
    const file = env[`${name}_FILE`];
    // An empty variable is one that was not set: compose files pass them that way.
    values[name] = file ? readSecret(name, file) : env[name] || undefined;
  }
  return values;
}

function readSecret(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new ConfigurationProblem(`${name}_FILE names ${file}, which cannot be read: ${(error as Error).message}`);
  }
}

const encryptionKey = z
  .string('is required: 32 random bytes in base64, for example from `openssl rand -base64 32`')
  .refine((value) => Buffer.from(value, 'base64').length === 32, 'must be 32 bytes in base64');

/** What the API and the workers both need. */
export const commonSettings = {
  DATABASE_URL: z.url('is required: postgres://relais_app:…@host/database, the role that does not own the tables'),
  /** A connection that holds LISTEN, when DATABASE_URL goes through a pooler. */
  DATABASE_DIRECT_URL: z.url().optional(),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(10),
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  ENCRYPTION_KEY: encryptionKey,
  ENCRYPTION_KEYS_PREVIOUS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((key) => key.trim())
        .filter(Boolean),
    )
    .pipe(z.array(encryptionKey)),
  ...storageSettings,
  /** The address people type; links, cookies and webhook addresses are made from it. */
  APP_URL: z.url().optional(),
  SMTP_URL: z.url('must look like smtps://user:password@host:465').optional(),
  MAIL_FROM: z.email().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
  ...oauthSettings,
};

export type MailAccount = { server: MailServer; password: string | null; from: string };

/**
 * The installation's own mail server from `smtps://user:password@host:465`, or null when there is none.
 * `smtp:` means STARTTLS; `smtp://…?security=none` is for a server on this machine.
 */
export function installationMailFrom(smtpUrl: string | undefined, from: string | undefined): MailAccount | null {
  if (!smtpUrl || !from) return null;
  const url = new URL(smtpUrl);
  return {
    server: { ...mailServerFrom(url), username: decodeURIComponent(url.username) },
    password: url.password ? decodeURIComponent(url.password) : null,
    from,
  };
}
