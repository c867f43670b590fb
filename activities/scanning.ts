// Has the virus scanner look at the files of a message that has been recorded. The message does not wait for it: until then its
// files open after a warning only.

import type { EntityManager } from '@mikro-orm/postgresql';
import { Context } from '@temporalio/activity';
import { Attachment, Message } from '#domain/conversations/message.ts';
import { SYSTEM } from '#domain/people/actor.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { isKeptBack } from '#domain/rules/file-verdict.ts';
import type { ScanFilesInput } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { type Scanned, scan } from './providers/clamav.ts';

export function createScanning({ database, attachments, scanner }: Dependencies) {
  return {
    /** Run again, it asks again and comes to the same. @throws ApplicationFailure while the scanner is away */
    async scanFiles({ tenantId, messageId }: ScanFilesInput): Promise<void> {
      if (!scanner) return;
      const files = await database.inTenant(tenantId, (em) => em.find(Attachment, { messageId }));
      for (const file of files) {
        if (isKeptBack(file.verdict)) continue;
        const scanned = await scan(scanner, attachments.read(tenantId, file.sha256), Context.current().info.attempt);
        await database.inTenant(tenantId, (em) => judgeAgain(em, file.id, scanned));
      }
      await database.inTenant(tenantId, async (em) => {
        const message = await em.findOne(Message, { id: messageId });
        if (message) announce(em, 'conversation.changed', message.conversationId, { messageId });
      });
    },
  };
}

async function judgeAgain(em: EntityManager, id: string, scanned: Scanned): Promise<void> {
  const file = await em.findOne(Attachment, { id });
  if (!file) return;
  if (scanned.outcome === 'infected') {
    file.verdict = 'infected';
    file.verdictReason = 'virus';
    const { signature } = scanned;
    audit(em, SYSTEM, { action: 'attachment.infected', subject: { kind: 'attachment', id }, after: { signature } });
    return;
  }
  // A doubt of our own, such as a password, stays whatever the scanner made of it.
  if (file.verdictReason !== 'not-scanned') return;
  file.verdict = scanned.outcome === 'clean' ? 'clean' : 'unchecked';
  file.verdictReason = scanned.outcome === 'clean' ? null : 'scan-refused';
}
