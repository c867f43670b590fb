// The activities of the product, and one that does nothing on the queue of the workflows.
import { createActivities as createProductActivities } from '#activities/index.ts';

const nothing = async (): Promise<void> => {};

export type Nothing = { nothing: typeof nothing };

export function createActivities(...given: Parameters<typeof createProductActivities>) {
  const activities = createProductActivities(...given);
  return { ...activities, inbox: { ...activities.inbox, nothing } };
}
