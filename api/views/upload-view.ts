import type { Upload } from '#domain/conversations/upload.ts';
import type { Answer } from '../contract/route.ts';
import type { uploads } from '../contract/uploads.ts';

export function uploadViewOf({ id, name, type, size, expiresAt }: Upload): Answer<typeof uploads.keepUpload> {
  return { id, name, type, size, expiresAt: expiresAt.toISOString() };
}
