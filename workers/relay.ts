// Carries what transactions asked of Temporal (domain/record/run-request.ts) to Temporal, oldest first. It is woken by a
// NOTIFY and looks by itself every second; a request leaves the table only when Temporal has it.
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import pg from 'pg';
import { settleUnheardDecision } from '#domain/conversations/draft-decision.ts';
import { type Database, RUN_REQUESTED } from '#domain/database/orm.ts';
import { faultPoint } from '#domain/fault-point.ts';
import { type Log, mask } from '#domain/record/log.ts';
import { ASKED_AGAIN, DRAFT_DECIDED, TASK_QUEUES, WORKFLOWS, type WorkflowType } from '#workflows/contract.ts';
import { firstAttributes } from '#workflows/search-attributes.ts';

const BATCH = 100;
const LOOK_EVERY_MS = 1_000;
const DELIVER_WITHIN_MS = 8_000;
const LONGEST_WAIT_MS = 5_000;

type Request = {
  id: string;
  tenant_id: string;
  kind: 'start' | 'signal';
  name: string;
  workflow_id: string;
  input: Record<string, unknown>;
  attempts: number;
};

export type RelayDependencies = {
  database: Database;
  /** Holds LISTEN: never through a transaction pooler. */
  listenUrl: string;
  temporal: Client;
  log: Log;
};

export class Relay {
  readonly #dependencies: RelayDependencies;
  #listener: pg.Client | null = null;
  #wake: () => void = () => {};
  #woken = false;
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(dependencies: RelayDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#ring();
    await this.#loop;
    await this.#listener?.end().catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#woken = false;
      try {
        await this.#listen();
        const settled = await this.#deliverBatch();
        if (settled > 0) continue;
      } catch (error) {
        this.#dependencies.log.warn({ err: error }, 'The relay could not work; it tries again');
      }
      await this.#pause();
    }
  }

  /** @returns how many were delivered; 0 when nothing waits or Temporal is away */
  async #deliverBatch(): Promise<number> {
    return this.#dependencies.database.acrossTenants(async (run) => {
      const batch = await run<Request>('select * from take_run_requests(?)', [BATCH]);
      if (batch.length === 0) return 0;
      await faultPoint('relay.before_start');
      const problems = await Promise.all(batch.map((request) => this.#deliver(request)));
      await faultPoint('relay.after_start');
      const settled = batch.filter((_, index) => problems[index] === null).map((request) => request.id);
      if (settled.length > 0) await run('select settle_run_requests(?::uuid[])', [`{${settled.join(',')}}`]);
      for (const [index, request] of batch.entries()) {
        const problem = problems[index];
        if (problem)
          await run('select postpone_run_request(?, ?, ?)', [request.id, problem, patienceAfter(request.attempts)]);
      }
      return settled.length;
    });
  }

  /** @returns null when Temporal has it, else what stood in the way */
  async #deliver(request: Request): Promise<string | null> {
    try {
      await this.#dependencies.temporal.withDeadline(Date.now() + DELIVER_WITHIN_MS, () =>
        request.kind === 'start' ? this.#startRun(request) : this.#signalRun(request),
      );
      return null;
    } catch (error) {
      this.#dependencies.log.warn(
        { err: error, run: request.workflow_id },
        'Temporal did not take a request; it waits',
      );
      return mask((error as Error).message).slice(0, 500);
    }
  }

  async #startRun(request: Request): Promise<void> {
    const { workflow } = this.#dependencies.temporal;
    const isMessage = request.name === WORKFLOWS.receiveMessage;
    const options = {
      args: [request.input],
      workflowId: request.workflow_id,
      taskQueue: TASK_QUEUES.inbox,
      // Small, so that the work of a worker that died is taken up at once.
      workflowTaskTimeout: '2s',
      // A receipt is run once; a run that failed or was ended may be begun again. The others ask their rows first.
      workflowIdReusePolicy: isMessage
        ? WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        : WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      typedSearchAttributes: firstAttributes(request.tenant_id, isMessage ? 'receiving' : undefined),
      priority: { fairnessKey: request.tenant_id },
    } as const;
    try {
      await workflow.start(request.name, { ...options, requestEagerStart: true });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      const signal = ASKED_AGAIN[request.name as WorkflowType];
      // Between the refusal and this it may have ended: then it is started.
      if (signal) await workflow.signalWithStart(request.name, { ...options, signal, signalArgs: [request.input] });
    }
  }

  async #signalRun(request: Request): Promise<void> {
    try {
      await this.#dependencies.temporal.workflow.getHandle(request.workflow_id).signal(request.name, request.input);
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // Nobody waits any more: the run was ended from outside. What was decided is carried out all the same.
      if (request.name === DRAFT_DECIDED) {
        await this.#dependencies.database.inTenant(request.tenant_id, (em) =>
          settleUnheardDecision(em, String(request.input.draftId)),
        );
      }
    }
  }

  async #listen(): Promise<void> {
    if (this.#listener) return;
    const listener = new pg.Client({ connectionString: this.#dependencies.listenUrl });
    listener.on('notification', () => this.#ring());
    listener.on('error', () => {
      this.#listener = null;
    });
    listener.on('end', () => {
      this.#listener = null;
    });
    await listener.connect();
    await listener.query(`listen ${RUN_REQUESTED}`);
    this.#listener = listener;
  }

  #ring(): void {
    this.#woken = true;
    this.#wake();
  }

  async #pause(): Promise<void> {
    if (this.#woken || this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function patienceAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, 200 * 2 ** Math.min(attempts, 8));
}
