import { api } from '#lib/api.ts';
import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ url }) => {
  const { open } = await api.getWelcome().catch(() => ({ open: false }));
  return { isFirstVisit: open, next: ownPath(url.searchParams.get('next')) };
};

// A link to this page must not lead to somebody else's.
function ownPath(next: string | null): string {
  return next?.startsWith('/') && !next.startsWith('//') && !next.startsWith('/\\') ? next : '/mail/inbox';
}
