import { z } from 'zod';
import { integrationView, mailboxFolders, mailServersFound, syncView } from './integrations.ts';
import { byId, nothing, route } from './route.ts';

/** One folder: what its server holds since the chosen day, and what became of it here. */
const folderCount = z.object({
  path: z.string(),
  /** When the server was last asked; what came since then is not counted. */
  comparedAt: z.iso.datetime().nullable(),
  atServer: z.int().nullable(),
  /** At the server, and never kept here. */
  missing: z.int().nullable(),
  /** Kept, whether or not it is still at the server: the sum of the four that follow. */
  kept: z.int(),
  messages: z.int(),
  duplicates: z.int(),
  setAside: z.int(),
  pending: z.int(),
});

export const mailboxes = {
  countMailbox: route({
    method: 'get',
    path: '/mailboxes/{id}/folders',
    summary: 'Whether all mail of a mailbox is here: counts of each folder at its server and here',
    role: 'admin',
    params: byId,
    reply: z.object({ folders: z.array(folderCount) }),
  }),
  changeMailbox: route({
    method: 'patch',
    path: '/mailboxes/{id}',
    summary: 'Choose which folders of a mailbox are read',
    role: 'admin',
    params: byId,
    body: z.object({ folders: mailboxFolders, readJunk: z.boolean() }).partial(),
    reply: integrationView,
  }),
  startBackfill: route({
    method: 'post',
    path: '/mailboxes/{id}/backfill',
    summary: 'Fetch older mail of a mailbox; it is sorted, and never answered',
    role: 'admin',
    status: 202,
    params: byId,
    body: z.object({
      /** Mail received before this day is left alone. */
      since: z.iso.date(),
    }),
    reply: syncView,
  }),
  getBackfill: route({
    method: 'get',
    path: '/mailboxes/{id}/backfill',
    summary: 'How far the last fetch of older mail has come',
    role: 'admin',
    params: byId,
    reply: z.object({ backfill: syncView.nullable() }),
  }),
  cancelBackfill: route({
    method: 'delete',
    path: '/mailboxes/{id}/backfill',
    summary: 'Stop fetching older mail; what is here stays',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  lookUpMailServers: route({
    method: 'post',
    path: '/mail-server-look-ups',
    summary: 'Ask the network for the servers of an address whose provider is not known',
    role: 'admin',
    status: 202,
    body: z.object({ address: z.email().max(254) }),
    reply: z.object({ id: z.uuid() }),
  }),
  getMailServerLookUp: route({
    method: 'get',
    path: '/mail-server-look-ups/{id}',
    summary: 'The servers that were found; null while they are looked for',
    role: 'admin',
    params: byId,
    reply: z.object({ found: mailServersFound.nullable() }),
  }),
};
