import type { PageLoad } from './$types.js';

export const load: PageLoad = ({ url }) => ({
  state: url.searchParams.get('state') === 'on-its-way' ? ('on-its-way' as const) : ('needs-person' as const),
});
