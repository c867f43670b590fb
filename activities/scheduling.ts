// What Temporal does for a mailbox by itself: the schedule that looks at it, and the watch that waits for its news.
import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client as TemporalClient,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { Integration } from '#domain/integrations/integration.ts';
import { type ApplyIntegrationInput, TASK_QUEUES, WORKFLOWS, workflowIds } from '#workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';

const TENANT_KEY = defineSearchAttributeKey('TenantId', SearchAttributeType.KEYWORD);

export function createScheduling({ database, temporal }: Dependencies) {
  return {
    /** Makes, changes, pauses or removes the schedule and the watch of a mailbox, as its row says. Idempotent. */
    async applyIntegration(ref: ApplyIntegrationInput): Promise<void> {
      // Two changes are applied by two runs, and the older one may be the later: whoever has applied one looks again.
      for (let wanted = await read(ref); ; ) {
        await apply(ref, wanted);
        const now = await read(ref);
        if (isSame(now, wanted)) return;
        wanted = now;
      }
    },
  };

  function read({ tenantId, integrationId }: ApplyIntegrationInput): Promise<Wanted> {
    return database.inTenant(tenantId, (em) =>
      em.findOne(Integration, { id: integrationId, channel: 'email', removedAt: null }),
    );
  }

  async function apply({ tenantId, integrationId }: ApplyIntegrationInput, integration: Wanted): Promise<void> {
    if (integration) await applySchedule(temporal, integration);
    else await scheduleOf(temporal, tenantId, integrationId).delete().catch(ignoreMissing);
    if (integration?.state === 'active') await startWatch(temporal, integration);
    else
      await temporal.workflow
        .getHandle(workflowIds.watchMailbox(tenantId, integrationId))
        .cancel()
        .catch(ignoreMissing);
  }
}

/** null when there is nothing to look at any more. */
type Wanted = Integration | null;

function isSame(wanted: Wanted, applied: Wanted): boolean {
  if (!wanted || !applied) return wanted === applied;
  const seconds = (integration: Integration) => integration.mailboxSettings().syncEverySeconds;
  return wanted.state === applied.state && seconds(wanted) === seconds(applied);
}

async function applySchedule(temporal: TemporalClient, integration: Integration): Promise<void> {
  const { tenantId, id: integrationId } = integration;
  const handle = scheduleOf(temporal, tenantId, integrationId);
  const wanted = {
    spec: { intervals: [{ every: integration.mailboxSettings().syncEverySeconds * 1000 }], jitter: 2_000 },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOWS.syncMailbox,
      workflowId: workflowIds.syncMailbox(tenantId, integrationId),
      taskQueue: TASK_QUEUES.inbox,
      args: [{ tenantId, integrationId }] as [{ tenantId: string; integrationId: string }],
      workflowTaskTimeout: 2_000,
      typedSearchAttributes: [{ key: TENANT_KEY, value: tenantId }],
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 60_000 },
    state: { paused: integration.state !== 'active', note: `The integration is ${integration.state}.` },
  };
  const exists = await handle.describe().then(() => true, ignoreMissing);
  if (exists) await handle.update(() => wanted);
  else
    await temporal.schedule.create({
      ...wanted,
      scheduleId: handle.scheduleId,
      state: { ...wanted.state, triggerImmediately: integration.state === 'active' },
    });
}

// While nobody knows what the server offers, a watch that goes on is one of other settings.
async function startWatch(temporal: TemporalClient, { tenantId, id, idleOffered }: Integration): Promise<void> {
  if (idleOffered === false) return;
  try {
    await temporal.workflow.start(WORKFLOWS.watchMailbox, {
      args: [{ tenantId, integrationId: id, losses: 0 }],
      workflowId: workflowIds.watchMailbox(tenantId, id),
      taskQueue: TASK_QUEUES.inbox,
      workflowTaskTimeout: 2_000,
      typedSearchAttributes: [{ key: TENANT_KEY, value: tenantId }],
      workflowIdConflictPolicy: idleOffered === null ? 'TERMINATE_EXISTING' : 'FAIL',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

function scheduleOf(temporal: TemporalClient, tenantId: string, integrationId: string) {
  return temporal.schedule.getHandle(workflowIds.syncSchedule(tenantId, integrationId));
}

function ignoreMissing(error: unknown): false {
  if (error instanceof ScheduleNotFoundError || error instanceof WorkflowNotFoundError) return false;
  throw error;
}
