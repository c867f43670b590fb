import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ url }) => {
  const { open, shortestPassword } = await api.getWelcome();
  return { isOpen: open, shortestPassword, token: url.searchParams.get('token') ?? '' };
};
