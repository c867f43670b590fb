import { shortened, storable } from './stored-text.ts';

const LONGEST_FILE_NAME = 200;

/**
 * No path, no control or direction-changing character: the name is shown, and offered for saving.
 * @returns null when nothing of it is left
 */
export function safeFileName(given: string | null): string | null {
  const bare = storable(given ?? '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .split(/[/\\]/)
    .at(-1)!
    .trim();
  if (bare === '' || /^\.+$/.test(bare)) return null;
  if (bare.length <= LONGEST_FILE_NAME) return bare;
  // The end tells what it is.
  const extension = /\.[\p{L}\p{N}]{1,10}$/u.exec(bare)?.[0] ?? '';
  return shortened(bare, LONGEST_FILE_NAME - extension.length) + extension;
}
