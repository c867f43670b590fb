// The schedule that keeps the house, and the schedules of the mailboxes: made again at every start, so that a new or
// restored Temporal server has them too.
import { type Client, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Activities } from '#activities/index.ts';
import { TASK_QUEUES, WORKFLOWS, workflowIds } from '#workflows/contract.ts';

const EVERY_MINUTE_MS = 60_000;

export async function ensureSchedules(temporal: Client, { inbox }: Activities): Promise<void> {
  try {
    await temporal.schedule.create({
      scheduleId: workflowIds.keepHouse(),
      spec: { intervals: [{ every: EVERY_MINUTE_MS }] },
      action: {
        type: 'startWorkflow',
        workflowType: WORKFLOWS.keepHouse,
        workflowId: workflowIds.keepHouse(),
        taskQueue: TASK_QUEUES.inbox,
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: EVERY_MINUTE_MS },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  for (const tenantId of await inbox.listTenants()) await inbox.reapplyIntegrations({ tenantId });
}
