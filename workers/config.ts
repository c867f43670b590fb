// The workers' settings; see .env.example for what each is for.
import type { NetConnectOpts } from 'node:net';
import { z } from 'zod';
import { commonSettings, readConfiguration } from '#domain/configuration.ts';
import { TASK_QUEUES } from '#workflows/contract.ts';

const queues = Object.values(TASK_QUEUES);

const settings = z.object({
  ...commonSettings,
  /** Which queues this process serves; several processes may share the work. */
  WORKER_QUEUES: z
    .string()
    .default(queues.join(','))
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(queues))),
  /** Built by `npm run build`; without it the workflows are bundled at start. */
  WORKFLOW_BUNDLE: z.string().optional(),
  /** Answers /healthz and /readyz when set. */
  WORKER_HEALTH_PORT: z.coerce.number().int().min(1).max(65_535).optional(),
  QUIET_MS: z.coerce.number().int().min(0).default(120_000),
  MODEL_TIMEOUT_MS: z.coerce.number().int().min(100).default(90_000),
  /** Where Vonage's Messages API is: its European or American host, or a stand-in. */
  VONAGE_URL: z.url().default('https://api.nexmo.com'),
  /** A host of one's own network from which webhooks may name files, such as http://shop.internal:8080. */
  WEBHOOK_FILES_ORIGIN: z
    .url()
    .transform((url) => new URL(url).origin)
    .optional(),
  /** Where the virus scanner clamd listens: host:port, or the path of its socket. */
  CLAMAV_ADDRESS: z
    .string()
    .regex(/^(\/.+|.+:\d{1,5})$/, 'must look like clamav:3310 or /run/clamav/clamd.ctl')
    .transform(placeOf)
    .optional(),
  SMTP_TIMEOUT_MS: z.coerce.number().int().min(100).default(30_000),
});

function placeOf(address: string): NetConnectOpts {
  if (address.startsWith('/')) return { path: address };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

export type WorkersConfig = z.output<typeof settings>;

export function readWorkersConfig(env: NodeJS.ProcessEnv = process.env): WorkersConfig {
  return readConfiguration(settings, env);
}
