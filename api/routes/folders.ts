// Folders, their rules, and the trial of a rule on past messages.
import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Folder, RuleFilter } from '#domain/conversations/folder.ts';
import { tryRule } from '#domain/conversations/try-rule.ts';
import { Conflict, Invalid, NotFound } from '#domain/errors.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { startReclassifyFolderless } from '#domain/record/run-request.ts';
import type { RuleFilter as Rule } from '#domain/rules/rule-filter.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { folders } from '../contract/folders.ts';
import type { Received } from '../contract/route.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { folderList, folderViewOf } from '../views/folder-list.ts';

type FolderChange = Received<typeof folders.changeFolder>['body'];

export function folderRoutes({ database }: ApiDependencies): Handlers<typeof folders> {
  return {
    listFolders: ({ principal }) => database.inTenant(principal.tenantId, (em) => folderList(em)),

    createFolder: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const last = await em.findOne(Folder, {}, { orderBy: { position: 'desc' } });
        const folder = em.create(Folder, { id: newId(), name: body.name, position: (last?.position ?? 0) + 1 });
        await applyChange(em, principal, folder, body);
        audit(em, principal.actor, {
          action: 'folder.created',
          subject: { kind: 'folder', id: folder.id },
          after: { name: folder.name },
        });
        return folderViewOf(em, folder);
      }),

    changeFolder: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const folder = await findFolder(em, params.id);
        const before = { name: folder.name, replyMode: folder.replyMode, deadlineAction: folder.deadlineAction };
        await applyChange(em, principal, folder, body);
        audit(em, principal.actor, {
          action: 'folder.changed',
          subject: { kind: 'folder', id: folder.id },
          before,
          after: {
            name: folder.name,
            replyMode: folder.replyMode,
            deadlineAction: folder.deadlineAction,
            changed: Object.keys(body),
          },
        });
        return folderViewOf(em, folder);
      }),

    removeFolder: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        // Nothing is sorted into it from here on.
        const folder = await findFolder(em, params.id, { lockMode: LockMode.PESSIMISTIC_WRITE });
        // What a person put here stays where it is, without a folder; the rest is sorted again.
        await em.nativeUpdate(
          Conversation,
          { folderId: folder.id, sortedBy: { $ne: 'person' } },
          { folderId: null, sortedBy: null },
        );
        startReclassifyFolderless(em, principal.tenantId);
        em.remove(folder);
        audit(em, principal.actor, {
          action: 'folder.removed',
          subject: { kind: 'folder', id: folder.id },
          before: { name: folder.name },
        });
        announce(em, 'settings.changed', null, { folderId: folder.id });
        return undefined;
      }),

    orderFolders: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        for (const folder of await em.find(Folder, {})) {
          const index = body.ids.indexOf(folder.id);
          folder.position = index < 0 ? body.ids.length + folder.position : index + 1;
        }
        audit(em, principal.actor, {
          action: 'folder.reordered',
          subject: { kind: 'tenant', id: principal.tenantId },
          after: { ids: body.ids },
        });
        announce(em, 'settings.changed', null, {});
        return undefined;
      }),

    tryRule: ({ principal, body }) => database.inTenant(principal.tenantId, (em) => tryRule(em, body.rule)),
  };
}

async function findFolder(em: EntityManager, id: string, options: { lockMode?: LockMode } = {}): Promise<Folder> {
  const folder = await em.findOne(Folder, { id }, options);
  if (!folder) throw new NotFound('folder.not-found', 'This folder does not exist any more: reload the list.');
  return folder;
}

async function applyChange(
  em: EntityManager,
  principal: Principal,
  folder: Folder,
  change: FolderChange,
): Promise<void> {
  const { rules, ...fields } = change;
  const namesake = fields.name ? await em.findOne(Folder, { name: fields.name, id: { $ne: folder.id } }) : null;
  if (namesake) throw new Conflict('folder.name-taken', 'There is a folder of this name already: choose another name.');
  em.assign(folder, fields);
  await needPrompt(em, folder);
  if (folder.followUpMode === 'send' && !folder.followUpText.trim()) {
    throw new Invalid('folder.no-follow-up-text', 'Write what the follow-up is to say, or let it only remind.');
  }
  if (rules) await replaceRules(em, folder, rules);
  await em.flush();
  if (rules || fields.aiFilter !== undefined) startReclassifyFolderless(em, principal.tenantId);
  announce(em, 'settings.changed', null, { folderId: folder.id });
}

// A model that answers without being told for whom would speak for nobody.
async function needPrompt(em: EntityManager, folder: Folder): Promise<void> {
  if (folder.replyMode !== 'automatic') return;
  const settings = await em.findOne(AnsweringSettings, {});
  if (settings?.prompt.trim()) return;
  throw new Invalid(
    'folder.no-prompt',
    'Write the prompt of your company first (Settings, Answers): automatic replies need it.',
  );
}

async function replaceRules(em: EntityManager, folder: Folder, rules: Rule[]): Promise<void> {
  await em.flush();
  await em.nativeDelete(RuleFilter, { folderId: folder.id });
  rules.forEach((condition, index) => {
    em.create(RuleFilter, { folderId: folder.id, position: index + 1, condition });
  });
}
