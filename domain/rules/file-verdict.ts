// What is thought of a file from outside, and what its name alone tells. The lists follow what the big providers refuse
// (support.google.com/mail/answer/6590) and what Windows starts with a double click.

/**
 * `clean`: nothing was found. `unchecked`: nobody could look inside, or has not yet; it opens after a warning.
 * `blocked`: of a kind no client needs to send. `infected`: the scanner knows it. The last two are kept, never shown.
 */
export const FILE_VERDICTS = ['clean', 'unchecked', 'blocked', 'infected'] as const;
export type FileVerdict = (typeof FILE_VERDICTS)[number];

/** Why; stable, the screens have words for each. */
const FILE_REASONS = [
  'program',
  'script',
  'shortcut',
  'disk-image',
  'macros',
  'double-extension',
  'archive-bomb',
  'archive-nested',
  'archive-program',
  'archive-encrypted',
  'archive-unreadable',
  'encrypted',
  'too-large',
  'too-many',
  'before-checks',
  'not-scanned',
  'scan-refused',
  'virus',
] as const;
export type FileReason = (typeof FILE_REASONS)[number];

/** `reason` is null for what is clean, and for files nobody had to look at: our own. */
export type FileFinding = { verdict: FileVerdict; reason: FileReason | null };

export const CLEAN: FileFinding = { verdict: 'clean', reason: null };

/** Only an admin may have it, after a warning. */
export function isKeptBack(verdict: FileVerdict): boolean {
  return verdict === 'blocked' || verdict === 'infected';
}

const EXTENSIONS: [reason: FileReason, names: string][] = [
  [
    'program',
    'exe com scr pif cpl dll sys drv ocx msi msp mst msix msixbundle appx appxbundle appinstaller application gadget ' +
      'xll xla xlam ppa ppam wll lib ade adp mde accde apk jar jnlp class deb rpm run app pkg',
  ],
  [
    'script',
    'bat cmd ps1 psm1 psd1 ps1xml psc1 vb vbe vbs js jse mjs ws wsf wsc wsh sct hta msc inf reg scf chm hlp command ' +
      'pyw pyz nsh diagcab diagcfg diagpkg ins isp',
  ],
  [
    'shortcut',
    'lnk url website webloc inetloc fileloc desktop library-ms search-ms searchconnector-ms settingcontent-ms shb shs',
  ],
  ['disk-image', 'iso img udf vhd vhdx vmdk dmg toast cab wim'],
  ['macros', 'docm dotm xlsm xltm xlsb pptm potm ppsm sldm'],
];

const REASON_OF = new Map(EXTENSIONS.flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason])));

/** What a letter's file usually is: one of these before another extension is there to be taken for the last. */
const DOCUMENTS = new Set(
  'pdf doc docx xls xlsx ppt pptx odt ods rtf txt csv jpg jpeg png gif webp heic tif tiff mp3 mp4 mov zip'.split(' '),
);
const OPENED_BY_A_BROWSER = new Set('html htm shtml xhtml mht mhtml svg xml xsl'.split(' '));

/** @returns null when the name speaks of nothing */
export function riskOfName(name: string): FileReason | null {
  const parts = name
    .toLowerCase()
    .split('.')
    .map((part) => part.trim());
  // Windows drops dots and blanks at the end of a name.
  while (parts.length > 1 && parts.at(-1) === '') parts.pop();
  if (parts.length < 2) return null;
  const last = parts.at(-1)!;
  const reason = REASON_OF.get(last) ?? null;
  const isDisguised = parts.length > 2 && DOCUMENTS.has(parts.at(-2)!);
  return isDisguised && (reason || OPENED_BY_A_BROWSER.has(last)) ? 'double-extension' : reason;
}
