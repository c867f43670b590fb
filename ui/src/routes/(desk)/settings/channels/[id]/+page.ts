import { error } from '@sveltejs/kit';
import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ params, depends }) => {
  depends('relais:channels');
  const { integrations } = await api.listIntegrations();
  const integration = integrations.find(({ id }) => id === params.id);
  if (!integration) error(404);
  const { templates } =
    integration.channel === 'whatsapp'
      ? await api.listWhatsappTemplates({ params: { id: integration.id } })
      : { templates: [] };
  return {
    integration,
    templates,
    mailboxes: integrations.filter(({ channel }) => channel === 'email'),
  };
};
