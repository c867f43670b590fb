// What a person typed to be tried before anything is saved (a mailbox's servers and password), and what came of it.
// Both are sealed and both expire: the workflow that tries them carries the row's id only.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { instant, tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { KeyRing } from './key-ring.ts';

const TRIAL_LIFETIME_MS = 30 * 60_000;

const TrialSchema = defineEntity({
  name: 'Trial',
  properties: {
    ...tenantOwned,
    kind: p.enum(['mailbox', 'mail-servers'] as const),
    /** `waiting` is for a person's consent at a provider. */
    state: p.enum(['waiting', 'running', 'passed', 'failed'] as const).default('running'),
    sealedInput: p.text().hidden(),
    sealedResult: p.text().nullable().hidden(),
    expiresAt: instant(),
  },
  indexes: [{ properties: ['tenantId', 'expiresAt'] }],
});

export class Trial extends TrialSchema.class {
  input<Input>(keys: KeyRing): Input {
    return JSON.parse(keys.open(this.place('sealed_input'), this.sealedInput));
  }

  replaceInput(keys: KeyRing, input: unknown): void {
    this.sealedInput = Trial.sealInput(keys, this.tenantId, this.id, input);
  }

  result<Result>(keys: KeyRing): Result | null {
    return this.sealedResult ? JSON.parse(keys.open(this.place('sealed_result'), this.sealedResult)) : null;
  }

  conclude(keys: KeyRing, state: 'passed' | 'failed', result: unknown): void {
    this.state = state;
    this.sealedResult = keys.seal(this.place('sealed_result'), JSON.stringify(result));
  }

  /** Seals both under the current key; false when they already are. */
  reseal(keys: KeyRing): boolean {
    if (KeyRing.keyIdOf(this.sealedInput) === keys.currentKeyId) return false;
    this.sealedInput = keys.seal(this.place('sealed_input'), keys.open(this.place('sealed_input'), this.sealedInput));
    if (this.sealedResult) {
      const place = this.place('sealed_result');
      this.sealedResult = keys.seal(place, keys.open(place, this.sealedResult));
    }
    return true;
  }

  static sealInput(keys: KeyRing, tenantId: string, id: string, input: unknown): string {
    return keys.seal({ tenantId, table: 'trial', column: 'sealed_input', row: id }, JSON.stringify(input));
  }

  private place(column: string) {
    return { tenantId: this.tenantId, table: 'trial', column, row: this.id };
  }
}
TrialSchema.setClass(Trial);

/** Keeps what is to be tried, sealed, until it has been or its time is over. */
export function openTrial(
  em: EntityManager,
  keys: KeyRing,
  tenantId: string,
  { id, input, ...trial }: { id: string; kind: Trial['kind']; state?: Trial['state']; input: unknown },
): void {
  em.create(Trial, {
    id,
    ...trial,
    sealedInput: Trial.sealInput(keys, tenantId, id, input),
    expiresAt: new Date(Date.now() + TRIAL_LIFETIME_MS),
  });
}
