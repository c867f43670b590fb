// The bundle of the benchmark: the product's workflows, and the two that receiveMessage is measured against.
import { proxyActivities } from '@temporalio/workflow';
import type { Nothing } from './activities.ts';

export * from '#workflows/index.ts';

const { nothing } = proxyActivities<Nothing>({ startToCloseTimeout: '10s' });

export async function emptyRun(): Promise<void> {}

export async function oneActivityRun(): Promise<void> {
  await nothing();
}
