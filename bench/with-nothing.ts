// Preloaded into the product's own worker process (node --import): it offers one more activity, and is unchanged
// otherwise. So all three kinds of run are started by the same relay and run by the same workers with the same options.
import { registerHooks } from 'node:module';

const WORKER = new URL('../workers/main.ts', import.meta.url).href;
const ACTIVITIES = new URL('activities.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const isForWorker = specifier === '#activities/index.ts' && context.parentURL === WORKER;
    return next(isForWorker ? ACTIVITIES : specifier, context);
  },
});
