// The virus scanner looks at the files of a message, however long it is away.
import type { ScanFilesInput } from './contract.ts';
import { scanner } from './steps.ts';

export async function scanFiles(message: ScanFilesInput): Promise<void> {
  await scanner('Have the virus scanner look at its files').scanFiles(message);
}
