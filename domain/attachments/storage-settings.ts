// Which store attachments lie in, as an operator sets it.
import { z } from 'zod';

export const storageSettings = {
  STORAGE_DRIVER: z.enum(['local', 's3'], 'must be `local` or `s3`').default('local'),
  /** The files themselves, or with S3 only those that are coming in. */
  STORAGE_PATH: z.string().default('./data/files'),
  /** Without one it is Amazon's. */
  S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must look like https://s3.example.com' }).optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_BUCKET: z.string().optional(),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  /** The bucket is a part of the path rather than of the host's name, as every compatible store understands it. */
  S3_FORCE_PATH_STYLE: z.stringbool('must be `true` or `false`').default(true),
};

export type StorageSettings = z.output<z.ZodObject<typeof storageSettings>>;

const NEEDED_FOR_S3: [name: string, what: string][] = [
  ['S3_BUCKET', 'the bucket that keeps the files'],
  ['S3_ACCESS_KEY_ID', 'the key that may use the bucket'],
  ['S3_SECRET_ACCESS_KEY', 'the secret of that key'],
];

/** What STORAGE_DRIVER=s3 asks for and nobody has set, one fault a line. */
export function missingForS3(values: Record<string, string | undefined>): string[] {
  if (values.STORAGE_DRIVER !== 's3') return [];
  return NEEDED_FOR_S3.filter(([name]) => !values[name]).map(
    ([name, what]) => `${name}: is required with STORAGE_DRIVER=s3: ${what}`,
  );
}

export type S3Settings = {
  /** Null is Amazon's. */
  endpoint: string | null;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  forcePathStyle: boolean;
};

export function s3SettingsFrom(settings: StorageSettings): S3Settings {
  return {
    endpoint: settings.S3_ENDPOINT ?? null,
    region: settings.S3_REGION,
    bucket: settings.S3_BUCKET ?? '',
    accessKeyId: settings.S3_ACCESS_KEY_ID ?? '',
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY ?? '',
    forcePathStyle: settings.S3_FORCE_PATH_STYLE,
  };
}
