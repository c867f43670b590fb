import { z } from 'zod';
import { byId, nothing, route } from './route.ts';

export const uploadView = z
  .object({
    id: z.uuid(),
    name: z.string(),
    type: z.string(),
    size: z.int(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Upload' });

export const uploads = {
  keepUpload: route({
    method: 'post',
    path: '/uploads',
    summary: 'Hand in one file for an answer, which names it by id; it expires when no answer takes it',
    role: 'agent',
    status: 201,
    form: z.object({ file: z.string().meta({ format: 'binary' }) }),
    reply: uploadView,
  }),
  dropUpload: route({
    method: 'delete',
    path: '/uploads/{id}',
    summary: 'Take a file out before an answer has taken it',
    role: 'agent',
    status: 204,
    params: byId,
    reply: nothing,
  }),
};
