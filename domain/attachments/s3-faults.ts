// What an S3 store or the way to it does wrong, as a sentence that says what to do. Codes are those of Amazon's
// documentation ("Error responses"), which compatible stores share.
import { StoreUnavailable } from './attachment-store.ts';
import type { S3Settings } from './storage-settings.ts';

const RIGHTS = 's3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload';

type Sentence = (where: string, bucket: string, code: string) => string;

const OTHER_REGION: Sentence = (where, bucket) =>
  `The bucket “${bucket}” lies in another region of ${where}: correct S3_REGION and S3_ENDPOINT.`;
const NO_RIGHT: Sentence = (where, bucket) =>
  `${where} does not let this key use the bucket “${bucket}”: correct S3_BUCKET, or give the key ${RIGHTS}.`;
const NO_BUCKET: Sentence = (where, bucket) =>
  `${where} has no bucket “${bucket}”: create it, or correct S3_BUCKET, S3_ENDPOINT or S3_FORCE_PATH_STYLE.`;
const OTHER_PROTOCOL: Sentence = (where) =>
  `${where} does not speak the protocol of S3_ENDPOINT: http:// and https:// must not be mixed up.`;
const CERTIFICATE: Sentence = (where, _bucket, code) =>
  `The certificate of ${where} could not be trusted (${code}): renew it, or name its authority in NODE_EXTRA_CA_CERTS.`;

/** Of these waiting does not help. */
const FOR_A_PERSON: Record<string, Sentence> = {
  InvalidAccessKeyId: (where) => `${where} does not know this key: correct S3_ACCESS_KEY_ID.`,
  SignatureDoesNotMatch: (where) =>
    `${where} says that the secret is not that of the key: correct S3_SECRET_ACCESS_KEY.`,
  AccessDenied: NO_RIGHT,
  NoSuchBucket: NO_BUCKET,
  PermanentRedirect: OTHER_REGION,
  AuthorizationHeaderMalformed: OTHER_REGION,
  RequestTimeTooSkewed: (where) =>
    `The clocks of this machine and of ${where} differ by a quarter of an hour: set ours.`,
};

/** `code` is Node's, of the connection; what the store says is the name. */
type S3Error = Error & { code?: string; $metadata?: { httpStatusCode?: number } };

/** @param error what the client threw after its own tries */
export function storeFault(error: unknown, { endpoint, region, bucket }: S3Settings): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const { name, code, $metadata } = error as S3Error;
  const where = endpoint ? new URL(endpoint).host : `s3.${region}.amazonaws.com`;
  const status = $metadata?.httpStatusCode;
  // The answer to a HEAD has no body, and so no code.
  const said = code ?? (name === 'Unknown' ? String(status) : name);
  const sentence = sentenceFor(said, status);
  if (sentence) return new StoreUnavailable(sentence(where, bucket, said), true);
  return new StoreUnavailable(`The file store at ${where} does not answer for now (${said}).`);
}

function sentenceFor(code: string, status: number | undefined): Sentence | undefined {
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code)) return CERTIFICATE;
  if (/^(EPROTO|ERR_SSL_|HPE_)/.test(code)) return OTHER_PROTOCOL;
  const known = FOR_A_PERSON[code];
  if (known) return known;
  return status === 403 ? NO_RIGHT : undefined;
}
