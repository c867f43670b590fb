// What outside systems do wrong, as Temporal needs to know it: final (a person must act), later (try again, perhaps
// after a given time), or a fault of ours. Workflows branch on `type` only. Messages go into histories, so they carry
// codes and host names, never addresses, numbers or texts.
import { ApplicationFailure } from '@temporalio/common';
import * as oauth from 'oauth4webapi';
import OpenAI from 'openai';
import type { StoreUnavailable } from '#domain/attachments/attachment-store.ts';

export type FailureType =
  | 'model-refused-key'
  | 'model-refused-request'
  | 'model-refused-content'
  | 'model-busy'
  | 'model-unreachable'
  | 'model-answer-unusable'
  | 'mailbox-refused-credentials'
  | 'mailbox-certificate'
  | 'mailbox-wrong-security'
  | 'mailbox-unknown-host'
  | 'mailbox-unreachable'
  | 'mailbox-folder-missing'
  | 'mailbox-consent-revoked'
  | 'oauth-denied'
  | 'oauth-scope-missing'
  | 'oauth-other-account'
  | 'oauth-client-refused'
  | 'oauth-unreachable'
  | 'media-unreachable'
  | 'scanner-unreachable'
  | 'store-unavailable'
  | 'part-taken';

/** Trying again would bring the same: a person must change something. */
export function final(type: FailureType, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/** @param afterMs how long the other side asked us to wait */
export function later(type: FailureType, message: string, afterMs?: number): ApplicationFailure {
  return ApplicationFailure.create({ type, message, ...(afterMs === undefined ? {} : { nextRetryDelay: afterMs }) });
}

/** Whoever set the store up may have to act, and no message is lost meanwhile: the step comes again in any case. */
export function storeFailure({ message }: StoreUnavailable): ApplicationFailure {
  return later('store-unavailable', message);
}

/**
 * Lets a provider fail so many times and then gives it up for good; every other fault (our database, a bug) is retried
 * without an end, because no message may be lost to it.
 * @param attempt Temporal's count, from 1
 */
export async function withinAttempts<Result>(
  limit: number,
  attempt: number,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApplicationFailure && attempt >= limit) {
      throw ApplicationFailure.create({ type: error.type ?? 'given-up', message: error.message, nonRetryable: true });
    }
    throw error;
  }
}

const LONGEST_WAIT_MS = 10 * 60_000;

/** @param error what the OpenAI client threw */
export function modelFailure(error: unknown): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof OpenAI.APIConnectionTimeoutError)
    return later('model-unreachable', 'The model did not answer in time.');
  if (error instanceof OpenAI.APIConnectionError) return later('model-unreachable', 'The model could not be reached.');
  if (error instanceof OpenAI.APIError) {
    const status = error.status ?? 0;
    if (status === 401 || status === 403) return final('model-refused-key', `The model refused the key (${status}).`);
    if (status === 429) return later('model-busy', 'The model asked to wait (429).', retryAfterMs(error.headers));
    if (status === 408 || status === 409 || status >= 500)
      return later('model-busy', `The model failed (${status}).`, retryAfterMs(error.headers));
    return final('model-refused-request', `The model refused the request (${status}).`);
  }
  return later('model-answer-unusable', 'The answer of the model could not be read.');
}

function retryAfterMs(headers: Headers | undefined): number | undefined {
  const value = headers?.get('retry-after');
  if (!value) return undefined;
  const seconds = Number(value);
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(waitMs) && waitMs > 0 ? Math.min(waitMs, LONGEST_WAIT_MS) : undefined;
}

type MailServerError = Error & {
  authenticationFailed?: boolean;
  tlsFailed?: boolean;
  code?: string;
  /** SMTP: what Node said of the socket, where `code` only names the kind. */
  originalCode?: string;
  responseCode?: number;
  serverResponseCode?: string;
  mailboxMissing?: boolean;
};

/** A login was refused, and not because of the password (RFC 5530, 3). */
const NOT_NOW = new Set(['UNAVAILABLE', 'INUSE', 'LIMIT', 'SERVERBUG', 'THROTTLED', 'OVERQUOTA']);

/** @param host named in the sentence, so that an operator knows which server is meant */
export function mailboxFailure(error: unknown, host: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  const fault = error as MailServerError;
  const code = fault.originalCode ?? fault.code ?? '';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) {
    return final('mailbox-certificate', `The certificate of ${host} could not be trusted (${code}).`);
  }
  if (fault.tlsFailed || /^(ETLS|EPROTO)$|SSL/.test(code) || fault.serverResponseCode === 'PRIVACYREQUIRED') {
    return final('mailbox-wrong-security', `${host} does not offer that kind of encryption on this port.`);
  }
  if (isRefusedLogin(fault)) {
    return final('mailbox-refused-credentials', `${host} refused the user name or the password.`);
  }
  if (fault.mailboxMissing || fault.serverResponseCode === 'NONEXISTENT') {
    return final('mailbox-folder-missing', `${host} has no such folder.`);
  }
  if (code === 'ENOTFOUND') return final('mailbox-unknown-host', `There is no server named ${host}.`);
  return later('mailbox-unreachable', `${host} could not be reached (${code || 'connection lost'}).`);
}

function isRefusedLogin({ authenticationFailed, code, serverResponseCode, responseCode }: MailServerError): boolean {
  if (!authenticationFailed && code !== 'EAUTH' && serverResponseCode !== 'AUTHENTICATIONFAILED') return false;
  return !NOT_NOW.has(serverResponseCode ?? '') && !(responseCode !== undefined && responseCode < 500);
}

/** Only the person can help: consent was taken back, or the organisation asks for more (OpenID Connect Core, 3.1.2.6). */
const NEEDS_CONSENT = new Set(['invalid_grant', 'interaction_required', 'consent_required', 'login_required']);

/** @param label the provider as people call it */
export function oauthFailure(error: unknown, label: string): ApplicationFailure {
  if (error instanceof ApplicationFailure) return error;
  if (error instanceof oauth.AuthorizationResponseError) {
    return error.error === 'access_denied'
      ? final('oauth-denied', `${label} was not given consent.`)
      : final('oauth-client-refused', `${label} refused this installation (${error.error}).`);
  }
  if (error instanceof oauth.ResponseBodyError) return refusedGrant(error, label);
  if (error instanceof oauth.OperationProcessingError && error.code === oauth.JWT_CLAIM_COMPARISON) {
    return final('oauth-client-refused', `${label} refused this installation (it answered for somebody else).`);
  }
  return later('oauth-unreachable', `${label} gives no access for now.`);
}

function refusedGrant({ status, error, response }: oauth.ResponseBodyError, label: string): ApplicationFailure {
  if (status === 408 || status === 429 || status >= 500 || error === 'temporarily_unavailable')
    return later('oauth-unreachable', `${label} gives no access for now (${status}).`, retryAfterMs(response.headers));
  if (NEEDS_CONSENT.has(error)) {
    return final('mailbox-consent-revoked', `${label} no longer lets this mailbox be opened.`);
  }
  return final('oauth-client-refused', `${label} refused this installation (${error}).`);
}
