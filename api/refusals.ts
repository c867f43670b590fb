// The one place where refusals become HTTP: the domain's four kinds, requests that do not fit the contract, and bugs,
// which are logged once under a reference.
import { randomUUID } from 'node:crypto';
import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { StoreUnavailable } from '#domain/attachments/attachment-store.ts';
import { Conflict, Forbidden, Invalid, NotFound, Refusal } from '#domain/errors.ts';
import type { Log } from '#domain/record/log.ts';
import type { Problem } from './contract/route.ts';

export class NotSignedIn extends Error {
  override name = 'NotSignedIn';
}

/** A webhook call whose signature is missing, wrong or too old. */
export class BadSignature extends Refusal {}

/** More than one caller may send in a while: it is told when to go on. */
export class TooMany extends Refusal {}

/** Not taken, and not for good: a caller that repeats finds the door open later. */
export class NotNow extends Refusal {}

/** The request does not fit the contract; one line per fault. */
export class DoesNotFit extends Error {
  override name = 'DoesNotFit';
  readonly errors: { path: string; message: string }[];

  constructor(errors: { path: string; message: string }[]) {
    super('The request does not fit the description of this route.');
    this.errors = errors;
  }
}

const STATUS_OF: [kind: typeof Refusal, status: number, title: string][] = [
  [BadSignature, 401, 'Not signed'],
  [TooMany, 429, 'Too many'],
  [NotNow, 503, 'Not now'],
  [NotFound, 404, 'Not found'],
  [Forbidden, 403, 'Not allowed'],
  [Conflict, 409, 'Conflict'],
  [Invalid, 422, 'Not valid'],
];

export function refusals(log: Log): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof StoreUnavailable) log.warn(error.message);
    if (error instanceof UniqueConstraintViolationException) log.warn({ err: error }, 'Two saved the same at once');
    const problem = problemOf(error) ?? unexpected(error, log, request.method, request.route?.path ?? request.path);
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
}

export const noSuchRoute: RequestHandler = (_request, response) => {
  const problem: Problem = { type: 'about:blank', title: 'Not found', status: 404, code: 'route.not-found' };
  response.status(404).type('application/problem+json').send(JSON.stringify(problem));
};

function problemOf(error: unknown): Problem | null {
  if (error instanceof Refusal) {
    const [, status, title] = STATUS_OF.find(([kind]) => error instanceof kind) ?? [Refusal, 409, 'Refused'];
    return { type: 'about:blank', title, status, code: error.code, detail: error.message, details: error.details };
  }
  // Whoever saves looks first whether it is there: only somebody who saves in the same moment gets as far as the database.
  if (error instanceof UniqueConstraintViolationException) {
    const sentence = 'Somebody has saved the same in this very moment: reload, and change what is there.';
    return problemOf(new Conflict('saved.at-once', sentence));
  }
  if (error instanceof StoreUnavailable) {
    return {
      type: 'about:blank',
      title: 'Not now',
      status: 503,
      code: 'store.unavailable',
      detail: 'The file store does not answer for now: try again in a minute.',
    };
  }
  if (error instanceof NotSignedIn) {
    return {
      type: 'about:blank',
      title: 'Not signed in',
      status: 401,
      code: 'session.missing',
      detail: 'Sign in first.',
    };
  }
  if (error instanceof DoesNotFit) {
    return {
      type: 'about:blank',
      title: 'Not valid',
      status: 400,
      code: 'request.not-valid',
      detail: error.message,
      errors: error.errors,
    };
  }
  const status = (error as { status?: number }).status;
  if (status === 413) return { type: 'about:blank', title: 'Too large', status, code: 'request.too-large' };
  if (status && status >= 400 && status < 500) {
    return {
      type: 'about:blank',
      title: 'Not readable',
      status,
      code: 'request.not-readable',
      detail: 'The body could not be read as JSON.',
    };
  }
  return null;
}

function unexpected(error: unknown, log: Log, method: string, path: string): Problem {
  const reference = randomUUID();
  log.error({ err: error, reference, method, path }, 'A request failed');
  return { type: 'about:blank', title: 'Internal error', status: 500, code: 'internal', details: { reference } };
}
