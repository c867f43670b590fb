// The API's settings; see .env.example for what each is for.
import { z } from 'zod';
import { commonSettings, readConfiguration } from '#domain/configuration.ts';

const settings = z.object({
  ...commonSettings,
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().default('127.0.0.1'),
  /** Signs sessions. */
  AUTH_SECRET: z.string('is required: at least 32 random characters').min(32),
  /** Opens the first-visit page while there is no account. */
  SETUP_TOKEN: z.string().min(16).optional(),
  /** What Express trusts: `loopback`, a number of proxies, or addresses. */
  TRUST_PROXY: z.string().default('loopback'),
  /** Temporal's web UI, for the link from a conversation to its runs. */
  TEMPORAL_UI_URL: z.url().optional(),
  /** The built screens; without them only the API answers. */
  UI_BUILD: z.string().optional(),
  /** What one webhook may send in a minute; each API process counts for itself. */
  WEBHOOK_CALLS_PER_MINUTE: z.coerce.number().int().min(1).default(3_000),
  UNDO_SECONDS: z.coerce.number().min(0).max(600).default(10),
});

export type ApiConfig = z.output<typeof settings> & { publicUrl: string };

export function readApiConfig(env: NodeJS.ProcessEnv = process.env): ApiConfig {
  const config = readConfiguration(settings, env);
  return { ...config, publicUrl: (config.APP_URL ?? `http://127.0.0.1:${config.PORT}`).replace(/\/$/, '') };
}
