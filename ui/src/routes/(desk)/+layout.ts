import { redirect } from '@sveltejs/kit';
import { api, RefusedByApi } from '#lib/api.ts';
import { Desk } from '#lib/desk.svelte.ts';
import type { LayoutLoad } from './$types.js';

// Nothing of the address is read through `url` here: the desk is made once, not at every step.
export const load: LayoutLoad = async () => {
  try {
    const [me, { users }] = await Promise.all([api.getMe(), api.listUsers()]);
    const desk = new Desk(me, users);
    await Promise.all([desk.folders.refresh(), desk.may('admin') && desk.lostMailboxes.refresh()]);
    return { desk };
  } catch (error) {
    if (!(error instanceof RefusedByApi) || error.problem.status !== 401) throw error;
    const { pathname, search } = window.location;
    redirect(307, `/sign-in?next=${encodeURIComponent(pathname + search)}`);
  }
};
