// What of the shell is open: shared by the shortcuts, the palette and the buttons that open it.
import { createContext } from 'svelte';

/** Something the open conversation can do, offered by the palette. */
export type Deed = { id: string; label: string; keys?: string; run: () => void };

export type Panel = 'client' | 'why';

export class Shell {
  isPaletteOpen = $state(false);
  isHelpOpen = $state(false);
  /** The left column on a narrow screen. */
  isColumnOpen = $state(false);
  /** The panel beside a conversation: which, whether it stands there, and whether it lies over a narrow screen. */
  panel = $state<Panel>('client');
  isPanelOpen = $state(true);
  isSheetOpen = $state(false);
  deeds = $state.raw<Deed[]>([]);
}

export const [getShell, setShell] = createContext<Shell>();
