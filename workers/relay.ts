// Carries what transactions asked of Temporal (domain/record/run-request.ts) to Temporal, oldest first. It is woken by a
// NOTIFY and looks by itself every second; a request leaves the table only when Temporal has it.
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy, WorkflowNotFoundError } from '@temporalio/client';
import pg from 'pg';
import { settleUnheardDecision } from '#domain/conversations/draft-decision.ts';
import { type Database, RUN_REQUESTED } from '#domain/database/orm.ts';
import { faultPoint } from '#domain/fault-point.ts';
import { type Log, mask } from '#domain/record/log.ts';
import { DRAFT_DECIDED, TASK_QUEUES, WORKFLOWS } from '#workflows/contract.ts';
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
      const problems = new Map<string, string>();
      const byRun = Map.groupBy(batch, (request) => request.workflow_id);
      await Promise.all([...byRun.values()].map((requests) => this.#deliverTo(requests, problems)));
      await faultPoint('relay.after_start');
      const settled = batch.map(({ id }) => id).filter((id) => !problems.has(id));
      if (settled.length > 0) await run('select settle_run_requests(?::uuid[])', [`{${settled.join(',')}}`]);
      for (const { id, attempts } of batch) {
        const problem = problems.get(id);
        if (problem) await run('select postpone_run_request(?, ?, ?)', [id, problem, patienceAfter(attempts)]);
      }
      return settled.length;
    });
  }

  // A run is told before it is started: one that has ended reads its rows when it is started again. The other way round
  // one that is about to end refuses the start, and then there is nobody left to be told.
  async #deliverTo(requests: Request[], problems: Map<string, string>): Promise<void> {
    let problem: string | null = null;
    for (const kind of ['signal', 'start']) {
      for (const request of requests.filter((one) => one.kind === kind)) {
        problem ??= await this.#deliver(request);
        if (problem) problems.set(request.id, problem);
      }
    }
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
    const isMessage = request.name === WORKFLOWS.receiveMessage;
    try {
      await this.#dependencies.temporal.workflow.start(request.name, {
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
        requestEagerStart: true,
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
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
