// Single letters do things, so they must never fire while somebody is typing or an overlay is open.
import { tinykeys } from 'tinykeys';

type Handler = (event: KeyboardEvent) => void;

const TYPING = 'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]';
const OVERLAY = '[role=dialog], [role=alertdialog], [role=menu], [role=listbox]';

/** @returns stops listening */
export function onKeys(bindings: Record<string, Handler>): () => void {
  return listen(bindings, (target) => target.closest(`${TYPING}, ${OVERLAY}`) !== null);
}

/** For those that hold everywhere, such as Ctrl+K. */
export function onKeysEverywhere(bindings: Record<string, Handler>): () => void {
  return listen(bindings, () => false);
}

function listen(bindings: Record<string, Handler>, isElsewhere: (target: Element) => boolean): () => void {
  const handled = Object.entries(bindings).map(([keys, handler]): [string, Handler] => [
    keys,
    (event) => {
      event.preventDefault();
      handler(event);
    },
  ]);
  return tinykeys(window, Object.fromEntries(handled), {
    ignore: (event) =>
      event.isComposing || event.defaultPrevented || (event.target instanceof Element && isElsewhere(event.target)),
  });
}

const NAMES: Record<string, string> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
  Enter: '⏎',
  Escape: 'Esc',
  Control: 'Ctrl',
};

/** `g i` → [g, i]; `$mod+k` → [Ctrl, K] or [⌘, K]. */
export function keysShown(keys: string): string[] {
  return keys
    .split(/[\s+]/)
    .filter((key) => key !== '[Shift]')
    .map((key) => (key === '$mod' ? modKey() : (NAMES[key] ?? (keys.includes('+') ? key.toUpperCase() : key))))
    .map((key) => (key.length > 1 ? key[0]!.toUpperCase() + key.slice(1).toLowerCase() : key));
}

function modKey(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
}
