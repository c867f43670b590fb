import { error } from '@sveltejs/kit';
import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ params, parent, depends }) => {
  depends('relais:folder');
  const { desk } = await parent();
  const [answering] = await Promise.all([api.getAnswering(), desk.folders.refresh()]);
  const folder = desk.folders.all.find(({ id }) => id === params.id) ?? null;
  if (!folder && params.id !== 'new') error(404);
  return { folder, answering };
};
