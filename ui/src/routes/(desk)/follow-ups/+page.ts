import type { PageLoad } from './$types.js';

export const load: PageLoad = ({ url }) => ({
  state: url.searchParams.get('state') === 'armed' ? ('armed' as const) : ('due' as const),
});
