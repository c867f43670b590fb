import { z } from 'zod';
import { integrationView, mailboxFolders } from './integrations.ts';
import { byId, route } from './route.ts';

export const mailboxes = {
  changeMailbox: route({
    method: 'patch',
    path: '/mailboxes/{id}',
    summary: 'Choose which folders of a mailbox are read',
    role: 'admin',
    params: byId,
    body: z.object({ folders: mailboxFolders, readJunk: z.boolean() }).partial(),
    reply: integrationView,
  }),
};
