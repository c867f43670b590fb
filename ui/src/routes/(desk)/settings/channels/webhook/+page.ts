import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async () => {
  const { integrations } = await api.listIntegrations();
  return { mailboxes: integrations.filter(({ channel }) => channel === 'email') };
};
