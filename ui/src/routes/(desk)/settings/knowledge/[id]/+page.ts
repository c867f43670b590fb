import { error } from '@sveltejs/kit';
import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ params, depends }) => {
  depends('relais:articles');
  const { articles } = await api.listArticles();
  const article = articles.find(({ id }) => id === params.id) ?? null;
  if (!article && params.id !== 'new') error(404);
  return { article };
};
