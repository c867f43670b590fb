// Where the list looks, as the address says it: `/mail/inbox`, `/mail/resolved`, or `/mail/<folder id>`.
import { m } from '#paraglide/messages.js';
import type { Filters } from './api.ts';

export const PLACES = [
  'inbox',
  'unsorted',
  'to-approve',
  'newsletters',
  'automatic',
  'spam',
  'resolved',
  'archived',
  'all',
] as const;
export type Place = (typeof PLACES)[number];

export type Where = { place: Place; folderId?: never } | { folderId: string; place?: never };

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** @returns null when the address names no place */
export function whereOf(text: string): Where | null {
  const place = PLACES.find((known) => known === text);
  if (place) return { place };
  return UUID.test(text) ? { folderId: text } : null;
}

export function placeName(place: Place): string {
  const names: Record<Place, () => string> = {
    inbox: m.place_inbox,
    unsorted: m.place_unsorted,
    'to-approve': m.place_to_approve,
    newsletters: m.place_newsletters,
    automatic: m.place_automatic,
    spam: m.place_spam,
    resolved: m.place_resolved,
    archived: m.place_archived,
    all: m.place_all,
  };
  return names[place]();
}

/** Whether a status can be chosen here at all: some places are a status. */
export function hasStatusFilter({ place }: Where): boolean {
  return place !== 'spam' && place !== 'resolved' && place !== 'archived';
}

export type ListFilters = Pick<Filters, 'status' | 'channel' | 'assigneeId' | 'unread'>;

const FILTER_NAMES = ['status', 'channel', 'assigneeId', 'unread'] as const;

export function filtersOf(search: { get(name: string): string | null }): ListFilters {
  const given = FILTER_NAMES.map((name) => [name, search.get(name)]).filter(([, value]) => value);
  return Object.fromEntries(given) as ListFilters;
}

export function searchOf(filters: ListFilters): string {
  const search = new URLSearchParams();
  for (const name of FILTER_NAMES) if (filters[name]) search.set(name, String(filters[name]));
  return search.size > 0 ? `?${search}` : '';
}

/** What the API is asked for: a status is looked for beyond the open conversations of the inbox. */
export function queryOf(where: Where, filters: ListFilters): Filters {
  const beyondInbox = where.place === 'inbox' && filters.status;
  return { ...(beyondInbox ? {} : where), ...filters };
}
