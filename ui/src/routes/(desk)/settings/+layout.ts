import { error } from '@sveltejs/kit';
import type { LayoutLoad } from './$types.js';

export const load: LayoutLoad = async ({ parent }) => {
  const { desk } = await parent();
  if (!desk.may('admin')) error(403);
};
