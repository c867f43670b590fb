// Short words at the edge of the screen: what was done, with the way back; what was refused, with the reason.
import { toast } from 'svelte-sonner';
import { m } from '#paraglide/messages.js';
import { sentenceOf } from './refusal.ts';

const UNDO_MS = 8_000;

let undoLast: (() => void) | null = null;

export function said(text: string): void {
  toast(text, { duration: 3_500 });
}

/** @param forMs how long it can be taken back */
export function undoable(text: string, undo: () => void, forMs = UNDO_MS): void {
  const once = () => {
    if (undoLast !== once) return;
    undoLast = null;
    toast.dismiss(id);
    undo();
  };
  undoLast = once;
  const id = toast(text, {
    duration: forMs,
    action: { label: m.undo(), onClick: once },
    onAutoClose: () => {
      if (undoLast === once) undoLast = null;
    },
  });
}

/** The shortcut for the button of the newest toast. */
export function undo(): void {
  undoLast?.();
}

export function refused(error: unknown): void {
  toast.error(sentenceOf(error), { duration: 7_000 });
}
