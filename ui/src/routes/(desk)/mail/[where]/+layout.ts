import { error } from '@sveltejs/kit';
import { filtersOf, whereOf } from '#lib/places.ts';
import type { LayoutLoad } from './$types.js';

// The list is handed over at once, with what it already knows; its rows arrive by themselves.
export const load: LayoutLoad = async ({ params, url, parent }) => {
  const where = whereOf(params.where);
  if (!where) error(404);
  const { desk } = await parent();
  const list = desk.listOf(where, filtersOf(url.searchParams));
  void list.load();
  return { list };
};
