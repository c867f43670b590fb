// An agent's desk: who sits there, the folders, the lists and conversations they have looked at, and the stream that
// keeps all of it fresh. Made once after signing in; components take it from the context.
import { createContext } from 'svelte';
import type { Me, Person } from './api.ts';
import { Channels } from './channels.svelte.ts';
import { ConversationList } from './conversation-list.svelte.ts';
import { Folders } from './folders.svelte.ts';
import { Live } from './live.svelte.ts';
import { LostMailboxes } from './lost-mailboxes.svelte.ts';
import { OpenConversation } from './open-conversation.svelte.ts';
import { type ListFilters, searchOf, type Where } from './places.ts';

const ROLES = ['viewer', 'agent', 'admin', 'owner'] as const;
const CONVERSATIONS_KEPT = 40;
const LISTS_KEPT = 12;

export class Desk {
  readonly me: Me;
  people = $state.raw<Person[]>([]);
  readonly folders = new Folders();
  readonly lostMailboxes = new LostMailboxes();
  /** Filled for those who look after them. */
  readonly channels = new Channels();
  readonly live = new Live();
  /** The list that is on the screen. */
  list = $state.raw<ConversationList | null>(null);

  #lists = new Map<string, ConversationList>();
  #conversations = new Map<string, OpenConversation>();

  constructor(me: Me, people: Person[]) {
    this.me = me;
    this.people = people;
  }

  open(): () => void {
    const stopFolders = this.folders.watch(this.live);
    const stopMailboxes = this.may('admin') ? this.lostMailboxes.watch(this.live) : () => {};
    const stopChannels = this.may('admin') ? this.channels.watch(this.live) : () => {};
    this.live.open();
    return () => {
      stopFolders();
      stopMailboxes();
      stopChannels();
      this.live.close();
    };
  }

  /** Whether this person may do what asks for at least `role`. */
  may(role: 'agent' | 'admin'): boolean {
    return ROLES.indexOf(this.me.role) >= ROLES.indexOf(role);
  }

  nameOf(userId: string | null): string | null {
    return this.people.find((person) => person.id === userId)?.name ?? null;
  }

  isMe(userId: string | null): boolean {
    return userId === this.me.user.id;
  }

  /** The list of a place: the one shown before is shown again at once, and refreshed behind it. */
  listOf(where: Where, filters: ListFilters): ConversationList {
    const key = `${where.place ?? where.folderId}${searchOf(filters)}`;
    return kept(this.#lists, key, LISTS_KEPT, () => new ConversationList(where, filters));
  }

  conversation(id: string): OpenConversation {
    return kept(this.#conversations, id, CONVERSATIONS_KEPT, () => new OpenConversation(id));
  }
}

// The most recently used is the last of the map; the first ones are forgotten.
function kept<Thing>(things: Map<string, Thing>, key: string, most: number, make: () => Thing): Thing {
  const thing = things.get(key) ?? make();
  things.delete(key);
  things.set(key, thing);
  for (const oldest of things.keys()) {
    if (things.size <= most) break;
    things.delete(oldest);
  }
  return thing;
}

export const [getDesk, setDesk] = createContext<Desk>();
