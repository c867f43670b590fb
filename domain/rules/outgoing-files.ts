// Which files may leave with a mail, and how many: what the large mail providers take. The browser asks before it sends
// anything, the API decides.

export const MOST_FILES = 20;
/** Of all files of one mail. Base64 makes 34 MB of it, and providers take mails of 35. */
export const MOST_BYTES = 25_000_000;

/** Programs: Gmail and Outlook refuse a mail that carries one, some of them without a word to anybody. */
const BLOCKED_ENDINGS = new Set(
  `ade adp apk app appx appxbundle bat cab chm cmd com cpl diagcab dll dmg elf ex_ exe hta img ins iso isp jar jnlp js jse lib
   lnk mde mjs msc msi msix msixbundle msp mst nsh pif ps1 reg scr sct shb sys vb vbe vbs vhd vhdx vxd wsc wsf wsh xll`.split(
    /\s+/,
  ),
);
const BLOCKED_TYPES = new Set([
  'application/java-archive',
  'application/vnd.android.package-archive',
  'application/vnd.ms-cab-compressed',
  'application/x-apple-diskimage',
  'application/x-elf',
  'application/x-iso9660-image',
  'application/x-mach-binary',
  'application/x-ms-shortcut',
  'application/x-msdownload',
  'application/x-msi',
]);

/** Stands in the text of an answer for a picture; the formatted mail shows the picture there, and the plain one this. */
export function imageMark(name: string): string {
  return `[image: ${name}]`;
}

/** @param type by content, where it is known */
export function isBlockedFile(name: string, type: string | null): boolean {
  // Windows opens "facture.exe. " as what it is.
  const ending = /\.([^.]+)$/.exec(name.replace(/[.\s]+$/, ''))?.[1]?.toLowerCase();
  return (ending !== undefined && BLOCKED_ENDINGS.has(ending)) || (type !== null && BLOCKED_TYPES.has(type));
}
