// Files that are dropped on a form or pasted into it. A pasted picture stands where the cursor was: its mark is in the
// text, and the mail shows it there.
import { imageMark } from '../../../domain/rules/outgoing-files.ts';
import type { OutgoingFiles } from './outgoing-files.svelte.ts';

/** For `{@attach …}` on the form. */
export function receiveFiles(files: OutgoingFiles): (form: HTMLElement) => () => void {
  return (form) => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      const dropped = event.dataTransfer?.files;
      if (!dropped || dropped.length === 0) return;
      event.preventDefault();
      files.add(dropped);
    };
    const paste = (event: ClipboardEvent) => {
      const pasted = [...(event.clipboardData?.files ?? [])];
      if (pasted.length === 0) return;
      event.preventDefault();
      for (const file of pasted) put(file, event.target);
    };
    const put = (file: File, target: EventTarget | null) => {
      if (!file.type.startsWith('image/') || !(target instanceof HTMLTextAreaElement)) return files.add([file]);
      const named = new File([file], newName(file.name, files.names), { type: file.type });
      files.add([named]);
      target.setRangeText(imageMark(named.name), target.selectionStart, target.selectionEnd, 'end');
      target.dispatchEvent(new Event('input', { bubbles: true }));
    };
    form.addEventListener('dragover', over);
    form.addEventListener('drop', drop);
    form.addEventListener('paste', paste);
    return () => {
      form.removeEventListener('dragover', over);
      form.removeEventListener('drop', drop);
      form.removeEventListener('paste', paste);
    };
  };
}

// Browsers call every pasted picture "image.png": two of them must not be taken for one.
function newName(name: string, taken: string[]): string {
  const [, stem = name, ending = ''] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? [];
  let count = 1;
  while (taken.includes(`${stem}-${count}${ending}`)) count += 1;
  return `${stem}-${count}${ending}`;
}
