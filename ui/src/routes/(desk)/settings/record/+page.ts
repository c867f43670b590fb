import type { PageLoad } from './$types.js';

export const load: PageLoad = ({ url }) => ({
  action: url.searchParams.get('action') ?? '',
  actorId: url.searchParams.get('actor') ?? '',
  from: url.searchParams.get('from') ?? '',
  to: url.searchParams.get('to') ?? '',
});
