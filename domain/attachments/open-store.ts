// Opens the store an operator has chosen and tries it before the first file comes.
import { ConfigurationProblem } from '#domain/configuration.ts';
import type { Log } from '#domain/record/log.ts';
import { type AttachmentStore, StoreUnavailable } from './attachment-store.ts';
import { DiskStore } from './disk-store.ts';
import { type StorageSettings, s3SettingsFrom } from './storage-settings.ts';

/** @throws ConfigurationProblem saying what a person must change; a store that is away for now is waited for later */
export async function openAttachmentStore(settings: StorageSettings, log: Log): Promise<AttachmentStore> {
  const store = await storeOf(settings);
  try {
    await store.check();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    if (error.needsPerson) throw new ConfigurationProblem(error.message);
    // Messages without files come and go without it.
    log.warn(`${error.message} If this lasts, check S3_ENDPOINT.`);
  }
  return store;
}

async function storeOf(settings: StorageSettings): Promise<AttachmentStore> {
  if (settings.STORAGE_DRIVER === 'local') return new DiskStore(settings.STORAGE_PATH);
  // Its client is large: only who uses it loads it.
  const { S3Store } = await import('./s3-store.ts');
  return new S3Store(s3SettingsFrom(settings), settings.STORAGE_PATH);
}
