// `npm run build`: the screens and the workflow bundle, when what they are made from has changed.
import { buildWhatChanged } from './house/build.ts';
import { StartProblem } from './house/progress.ts';

try {
  await buildWhatChanged();
} catch (error) {
  console.error(error instanceof StartProblem ? error.message : error);
  process.exitCode = 1;
}
