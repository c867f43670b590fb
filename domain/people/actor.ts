// Who does a thing, for the audit trail and for every "by whom" on a screen.

export type Actor =
  | { kind: 'person'; id: string; ip?: string | null; userAgent?: string | null }
  | { kind: 'program'; id: string; ip?: string | null; userAgent?: string | null }
  | { kind: 'rule'; id: string }
  | { kind: 'model' }
  | { kind: 'client'; id: string }
  | { kind: 'system' };

export type ActorKind = Actor['kind'];

export const ACTOR_KINDS = ['person', 'program', 'rule', 'model', 'client', 'system'] as const;

export const SYSTEM: Actor = { kind: 'system' };

export function actorId(actor: Actor): string | null {
  return 'id' in actor ? actor.id : null;
}
