import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ url }) => {
  const { providers } = await api.listOAuthProviders();
  const asked = (name: string) => url.searchParams.get(name);
  return { providers, address: asked('address') ?? '', trialId: asked('trial'), isLost: asked('refused') !== null };
};
