import type { PageLoad } from './$types.js';

export const load: PageLoad = ({ url }) => ({ address: url.searchParams.get('address') ?? '' });
