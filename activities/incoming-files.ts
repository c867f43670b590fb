// The files of a message that comes in: looked at, kept under their digest, listed with what was thought of them.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { AttachmentStore } from '#domain/attachments/attachment-store.ts';
import { Attachment } from '#domain/conversations/message.ts';
import { SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import type { FileCard } from '#domain/rules/file-card.ts';
import { type FileFinding, isKeptBack } from '#domain/rules/file-verdict.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { readCard } from './readers/file-card.ts';
import type { IncomingAttachment } from './readers/incoming-message.ts';
import { judgeFiles } from './readers/judge-file.ts';

type KeptFile = IncomingAttachment & FileFinding & { sha256: string };

const NOT_SCANNED: FileFinding = { verdict: 'unchecked', reason: 'not-scanned' };

/** A file that is kept back is kept all the same: nothing a client sent is lost. */
export async function keepFiles(
  store: AttachmentStore,
  tenantId: string,
  files: readonly IncomingAttachment[],
  isScanned: boolean,
): Promise<KeptFile[]> {
  const findings = (await judgeFiles(files)).map((finding) =>
    isScanned && finding.verdict === 'clean' ? NOT_SCANNED : finding,
  );
  return Promise.all(
    files.map(async (file, at) => ({ ...file, ...findings[at]!, sha256: await store.keep(tenantId, file.content) })),
  );
}

export function recordFiles(em: EntityManager, messageId: string, files: readonly KeptFile[]): void {
  const shown = new Set<string>();
  const now = Date.now();
  for (const [at, file] of files.entries()) {
    const { name, type, content, sha256, contentId, inline, verdict, reason } = file;
    const id = newId();
    const size = content.length;
    em.create(Attachment, {
      id,
      // Attachments stand in the order of their creation: theirs is the one the message has them in.
      createdAt: new Date(now + at),
      messageId,
      name,
      type,
      size,
      sha256,
      contentId,
      inline,
      verdict,
      verdictReason: reason,
      card: newCard(file, shown),
    });
    if (!isKeptBack(verdict)) continue;
    audit(em, SYSTEM, {
      action: 'attachment.blocked',
      subject: { kind: 'attachment', id },
      after: { reason, messageId },
    });
  }
}

/** Invitations often come twice in one mail, as a form of the letter and as a file: one card is enough. */
function newCard(file: KeptFile, shown: Set<string>): FileCard | null {
  const card = isKeptBack(file.verdict) ? null : readCard(file);
  const words = JSON.stringify(card);
  if (shown.has(words)) return null;
  shown.add(words);
  return card;
}
