// The left column: folders in their order with what is unread in each, and the counts of the places beside them.
import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { Folder, RuleFilter } from '#domain/conversations/folder.ts';
import { queries } from '#domain/database/tables.ts';
import type { folders } from '../contract/folders.ts';
import type { Answer, Given } from '../contract/route.ts';

type FolderView = Given<typeof folders.createFolder>;

export async function folderList(em: EntityManager): Promise<Answer<typeof folders.listFolders>> {
  const all = await em.find(Folder, {}, { orderBy: { position: 'asc', name: 'asc' } });
  const rules = await em.find(RuleFilter, {}, { orderBy: { position: 'asc' } });
  const unread = await unreadByFolder(em);
  return {
    folders: all.map((folder) =>
      viewOf(
        folder,
        rules.filter((rule) => rule.folderId === folder.id),
        unread.get(folder.id) ?? 0,
      ),
    ),
    places: await placeCounts(em, unread),
  };
}

export async function folderViewOf(em: EntityManager, folder: Folder): Promise<FolderView> {
  const rules = await em.find(RuleFilter, { folderId: folder.id }, { orderBy: { position: 'asc' } });
  return viewOf(folder, rules, (await unreadByFolder(em)).get(folder.id) ?? 0);
}

function viewOf(folder: Folder, rules: RuleFilter[], unread: number): FolderView {
  return {
    id: folder.id,
    position: folder.position,
    name: folder.name,
    aiFilter: folder.aiFilter ?? null,
    replyMode: folder.replyMode,
    prompt: folder.prompt,
    useKnowledge: folder.useKnowledge,
    signature: folder.signature,
    deadlineSeconds: folder.deadlineSeconds ?? null,
    deadlineAction: folder.deadlineAction,
    escalateTo: folder.escalateTo ?? null,
    followUpMode: folder.followUpMode,
    followUpAfterSeconds: folder.followUpAfterSeconds,
    followUpText: folder.followUpText,
    rules: rules.map((rule) => rule.condition),
    unread,
  };
}

async function unreadByFolder(em: EntityManager): Promise<Map<string | null, number>> {
  const counts = await queries(em)
    .selectFrom('conversation')
    .select(['folder_id', sql<number>`count(*)::int`.as('conversations')])
    .where('unread', '=', true)
    .where('deleted_at', 'is', null)
    .where('kind', '=', 'personal')
    .where('status', 'in', ['new', 'in_progress'])
    .groupBy('folder_id')
    .execute();
  return new Map(counts.map((row) => [row.folder_id ?? null, row.conversations]));
}

async function placeCounts(em: EntityManager, unread: Map<string | null, number>) {
  const [counts] = await em.execute<{ to_approve: number; due: number; needs_person: number }[]>(
    `select (select count(*)::int from draft where state in ('waiting', 'regenerating')) as to_approve,
            (select count(*)::int from follow_up where state = 'fired' and done_at is null) as due,
            (select count(*)::int from reply join conversation on conversation.id = reply.conversation_id
              where reply.state in ('unknown', 'failed') and conversation.deleted_at is null) as needs_person`,
  );
  return {
    inbox: [...unread.values()].reduce((sum, count) => sum + count, 0),
    unsorted: unread.get(null) ?? 0,
    toApprove: counts?.to_approve ?? 0,
    due: counts?.due ?? 0,
    needsPerson: counts?.needs_person ?? 0,
  };
}
