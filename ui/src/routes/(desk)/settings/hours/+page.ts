import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ depends }) => {
  depends('relais:hours');
  return { hours: await api.getBusinessHours() };
};
