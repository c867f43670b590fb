// A company with one folder, whose rule takes every message of the benchmark and whose reply mode is off, and a webhook.
import { type ApiClient, createClient } from '#api/contract/client.ts';
import { contract, type RelaisContract } from '#api/contract/contract.ts';

export type BenchCompany = { tenantId: string; api: ApiClient<RelaisContract>; webhook: Webhook };
export type Webhook = { id: string; url: string; secret: string };

const OWNER = { email: 'owner@acme.test', password: 'correct horse battery' };

export async function makeCompany(url: string, setupToken: string): Promise<BenchCompany> {
  let cookie = '';
  const api = createClient(contract, { baseUrl: url, headers: () => ({ cookie, origin: url }) });
  await api.welcome({ body: { ...OWNER, token: setupToken, company: 'Acme', name: 'Owner', locale: 'fr' } });
  const answer = await fetch(`${url}/inbox/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: url },
    body: JSON.stringify(OWNER),
  });
  cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  await api.createFolder({
    body: {
      name: 'Commandes',
      replyMode: 'off',
      rules: [{ field: 'content', operator: 'contains', value: 'commande' }],
    },
  });
  const { integration, secret } = await api.createWebhook({ body: { name: 'Boutique' } });
  const webhook = { id: integration.id, url: `${url}/inbox/webhooks/custom/${integration.id}`, secret };
  return { tenantId: (await api.getMe()).tenant.id, api, webhook };
}
