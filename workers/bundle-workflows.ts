// Bundles the workflows ahead of time: a worker with a bundle starts in a fraction of a second.
// Usage: node workers/bundle-workflows.ts <file to write>
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

export const WORKFLOWS_PATH = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));

export async function bundleWorkflows(file: string): Promise<void> {
  const { code } = await bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('WARN') });
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, code);
}

const [, script, file] = process.argv;
if (script === fileURLToPath(import.meta.url) && file) await bundleWorkflows(file);
