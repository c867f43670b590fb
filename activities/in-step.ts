// One step of a run: a transaction of the tenant, and with it the row that says what was decided and why.

import type { EntityManager } from '@mikro-orm/postgresql';
import { Context } from '@temporalio/activity';
import type { Database } from '#domain/database/orm.ts';
import { faultPoint } from '#domain/fault-point.ts';
import type { StepName } from '#domain/record/step.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';

/** What a step found, in a stable code and the facts its sentence needs. */
export class StepNotes {
  outcome = 'done';
  facts: Record<string, unknown> = {};
  evidence: string[] = [];
  receiptId: string | null = null;
  conversationId: string | null = null;
  messageId: string | null = null;

  found(outcome: string, facts: Record<string, unknown> = {}, evidence: readonly string[] = []): void {
    this.outcome = outcome;
    this.facts = facts;
    this.evidence = evidence.map((words) => words.slice(0, 200)).slice(0, 10);
  }

  about(subject: { receiptId?: string; conversationId?: string; messageId?: string }): void {
    Object.assign(this, subject);
  }
}

/**
 * Runs `work` in one transaction and records its step. Temporal repeats an activity whose worker died: work must come
 * to the same result when its effects are already there, and the step stays one row.
 */
export async function inStep<Result>(
  database: Database,
  tenantId: string,
  name: StepName,
  work: (em: EntityManager, notes: StepNotes) => Promise<Result>,
): Promise<Result> {
  const { info } = Context.current();
  const began = Date.now();
  const done = await database.inTenant(tenantId, async (em) => {
    const notes = new StepNotes();
    const result = await work(em, notes);
    await em.flush();
    await em.execute(
      `insert into step (id, tenant_id, created_at, run_id, execution_id, activity_id, name, outcome, facts, evidence,
                         duration_ms, receipt_id, conversation_id, message_id)
       values (?, ?, now(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict (tenant_id, execution_id, activity_id) do nothing`,
      [
        newId(),
        tenantId,
        info.workflowExecution?.workflowId ?? 'none',
        info.workflowExecution?.runId ?? 'none',
        info.activityId,
        name,
        notes.outcome,
        storableJson(notes.facts),
        storableJson(notes.evidence),
        Date.now() - began,
        notes.receiptId,
        notes.conversationId,
        notes.messageId,
      ],
    );
    await faultPoint(`${name}.before_commit`);
    return result;
  });
  await faultPoint(`${name}.after_commit`);
  return done;
}

// Words are cut to length on the way here, and half a character, or a NUL, is no JSON to PostgreSQL.
function storableJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner) =>
    typeof inner === 'string' ? inner.replaceAll('\0', '').toWellFormed() : inner,
  );
}

/** The workflow id of the run this activity belongs to. */
export function currentRunId(): string {
  return Context.current().info.workflowExecution?.workflowId ?? 'none';
}
