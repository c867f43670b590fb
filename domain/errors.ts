// How the domain says no. Each refusal carries one sentence an agent could read, ending with what to do next;
// the API turns the four kinds into 404, 403, 409 and 422. Anything else that is thrown is a bug.

export class Refusal extends Error {
  /** A stable word a program can branch on, e.g. `draft.already-decided`. */
  readonly code: string;
  /** Facts a screen may show beside the sentence (ids, names, times); never secrets. */
  readonly details: Record<string, unknown>;

  constructor(code: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }
}

/** The thing does not exist, or belongs to another tenant: the caller cannot tell which. */
export class NotFound extends Refusal {}

/** The caller's role or key does not allow it. */
export class Forbidden extends Refusal {}

/** Somebody was faster, or the thing is in a state that does not allow it. */
export class Conflict extends Refusal {}

/** The request itself is wrong and can be put right by who sent it. */
export class Invalid extends Refusal {}
