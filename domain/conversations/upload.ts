// A file an agent has handed in for an answer, before that answer is written. One that no answer takes expires.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import { Invalid } from '#domain/errors.ts';
import { imageMark, MOST_BYTES, MOST_FILES } from '#domain/rules/outgoing-files.ts';
import { instant, newId, referable, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { Attachment } from './message.ts';

export const UPLOAD_LIFETIME_MS = 24 * 3600_000;
const MOST_AT_ONCE = 500;
/** A store may be far away: asked for one file after the other, it would take more than the step has. */
const REMOVED_TOGETHER = 20;

const UploadSchema = defineEntity({
  name: 'Upload',
  properties: {
    ...tenantOwned,
    createdById: p.uuid(),
    name: p.string().length(255),
    /** By content (magic bytes) where they tell, else what the browser claims. */
    type: p.string().length(120),
    size: p.integer(),
    sha256: p.string().length(64),
    /** The answer that took it; one that is taken back gives it free again. */
    messageId: p.uuid().nullable(),
    expiresAt: instant(),
  },
  uniques: [referable],
  indexes: [{ properties: ['tenantId', 'expiresAt'] }, { properties: ['tenantId', 'sha256'] }],
});

export class Upload extends UploadSchema.class {}
UploadSchema.setClass(Upload);

type Taking = {
  ids: string[];
  /** Of the answer: a picture whose mark stands in it is shown there. */
  text: string;
  userId: string | null;
  messageId: string;
  leavesAt: Date;
};

/**
 * Makes attachments of a message out of uploads, each of which belongs to one message only.
 * @throws Invalid when they are too many, too large, or no longer there
 */
export async function takeUploads(
  em: EntityManager,
  { ids, text, userId, messageId, leavesAt }: Taking,
): Promise<void> {
  if (ids.length === 0) return;
  // Until the answer has left it can be taken back, and the files with it.
  const expiresAt = new Date(leavesAt.getTime() + UPLOAD_LIFETIME_MS);
  const taken = await em.nativeUpdate(
    Upload,
    { id: { $in: ids }, createdById: userId, messageId: null, expiresAt: { $gt: new Date() } },
    { messageId, expiresAt },
  );
  if (taken !== new Set(ids).size) {
    throw new Invalid(
      'upload.gone',
      'One of the files is no longer here, or went with another answer: attach it again.',
    );
  }
  const uploads = await em.find(Upload, { id: { $in: ids } }, { refresh: true });
  if (uploads.length > MOST_FILES) {
    throw new Invalid('upload.too-many', `A mail takes at most ${MOST_FILES} files: take some of them out.`);
  }
  if (uploads.reduce((sum, { size }) => sum + size, 0) > MOST_BYTES) {
    throw new Invalid(
      'upload.too-large',
      `The files of a mail may have ${MOST_BYTES / 1_000_000} MB in all: take some of them out, or send a link.`,
    );
  }
  const now = Date.now();
  for (const { id, name, type, size, sha256 } of uploads) {
    const inline = type.startsWith('image/') && text.includes(imageMark(name));
    // Attachments stand in the order of their creation: theirs is the one the agent gave them.
    const createdAt = new Date(now + ids.indexOf(id));
    const contentId = inline ? `${newId()}@relais` : null;
    em.create(Attachment, { createdAt, messageId, name, type, size, sha256, contentId, inline });
  }
}

/** The answer was taken back: its files can go with the next one, of whoever took it back. */
export async function releaseUploads(em: EntityManager, messageId: string, userId: string): Promise<Upload[]> {
  const uploads = await em.find(Upload, { messageId }, { orderBy: { createdAt: 'asc' } });
  for (const upload of uploads) {
    upload.messageId = null;
    upload.createdById = userId;
    upload.expiresAt = new Date(Date.now() + UPLOAD_LIFETIME_MS);
  }
  return uploads;
}

/** Forgets uploads whose time is over, and their bytes where nothing else has the same. */
export async function forgetUploads(em: EntityManager, store: AttachmentStore, now: Date): Promise<void> {
  const over = await em.find(Upload, { expiresAt: { $lt: now } }, { limit: MOST_AT_ONCE });
  if (over.length === 0) return;
  // One that was given free again in this moment has another day.
  await em.nativeDelete(Upload, { id: { $in: over.map(({ id }) => id) }, expiresAt: { $lt: now } });
  const keptBefore = new Date(now.getTime() - UPLOAD_LIFETIME_MS / 2);
  const unused: Upload[] = [];
  for (const upload of over) {
    const { sha256 } = upload;
    const isUsed = (await em.count(Attachment, { sha256 })) + (await em.count(Upload, { sha256 })) > 0;
    if (!isUsed) unused.push(upload);
  }
  while (unused.length > 0) {
    const some = unused.splice(0, REMOVED_TOGETHER);
    await Promise.all(some.map(({ tenantId, sha256 }) => store.removeUnused(tenantId, sha256, keptBefore)));
  }
}
