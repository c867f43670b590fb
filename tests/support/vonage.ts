// A stand-in for Vonage: it signs the webhooks it sends as the SMS and the Messages API do, and takes messages as the
// Messages API does, faults included. Its signatures are written down from the documentation, apart from our own code.
import { createHash, createHmac, createVerify, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SignatureAlgorithm } from '#domain/rules/words.ts';

export type SentMessage = {
  uuid: string;
  message_type: string;
  channel: string;
  from: string;
  to: string;
  /** Of a message of the type `text`. */
  text?: string;
  /** Of a message of the type `template`. */
  template?: { name: string; parameters: string[] };
  whatsapp?: { policy: string; locale: string };
  client_ref: string;
  authorization: string;
};

export type VonageFault =
  | { status: number; title?: string; detail?: string }
  /** The connection breaks after the request was read, before or after the message was taken. */
  | { lost: 'before-taking' | 'after-taking' };

export class VonageServer {
  readonly sent: SentMessage[] = [];
  readonly faults: VonageFault[] = [];
  readonly files = new Map<string, Buffer>();
  readonly fileRequests: { path: string; authorization: string | undefined }[] = [];
  /** Called when a message was taken and before that is answered: a receipt can be faster than the answer. */
  onTaken: (message: SentMessage) => Promise<void> = async () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async open(port = 0): Promise<VonageServer> {
    const vonage = new VonageServer();
    await new Promise<void>((resolve) => vonage.#server.listen(port, '127.0.0.1', resolve));
    return vonage;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  to(number: string): SentMessage[] {
    return this.sent.filter((message) => message.to === number.replace('+', ''));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (request.method === 'GET') return this.#file(request, response);
    const fault = this.faults.shift();
    if (fault && 'status' in fault) {
      response.writeHead(fault.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ title: fault.title ?? 'Problem', detail: fault.detail ?? 'no' }));
      return;
    }
    if (fault?.lost === 'before-taking') return void request.socket.destroy();
    const asked = JSON.parse(body);
    const invalid = invalidParameters(asked);
    if (invalid.length > 0) return refuse(response, invalid);
    const message: SentMessage = {
      ...asked,
      uuid: randomUUID(),
      authorization: request.headers.authorization ?? '',
    };
    this.sent.push(message);
    await this.onTaken(message);
    if (fault?.lost === 'after-taking') return void request.socket.destroy();
    response.writeHead(202, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message_uuid: message.uuid }));
  }

  #file(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.fileRequests.push({ path, authorization: request.headers.authorization });
    const content = this.files.get(path);
    response.writeHead(content ? 200 : 404).end(content);
  }
}

function refuse(response: ServerResponse, invalid: string[]): void {
  response.writeHead(422, { 'content-type': 'application/json' });
  const title = 'Your request parameters did not validate.';
  const reasons = invalid.map((name) => ({ name, reason: 'is missing, unknown or not of its form' }));
  response.end(JSON.stringify({ title, detail: invalid.join(', '), invalid_parameters: reasons }));
}

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const ENVELOPE = { channel: isText, from: isText, to: isText, client_ref: isText, message_type: isText };

/** What a message holds, by its type. */
const CONTENTS: Record<string, Record<string, (value: unknown) => boolean>> = {
  text: { text: isText },
  template: {
    template: (value) => fits(value, { name: isText, parameters: (list) => Array.isArray(list) && list.every(isText) }),
    whatsapp: (value) =>
      fits(value, {
        policy: (word) => word === 'deterministic',
        locale: (code) => /^[a-z]{2,3}([_-][A-Z]{2})?$/.test(String(code)),
      }),
  },
};

function invalidParameters(message: Record<string, unknown>): string[] {
  const { message_type: type, channel } = message;
  const content = CONTENTS[String(type)];
  if (!content || (type === 'template' && channel !== 'whatsapp')) return ['message_type'];
  return faultsOf(message, { ...ENVELOPE, ...content });
}

function fits(value: unknown, shape: Record<string, (part: unknown) => boolean>): boolean {
  return value !== null && typeof value === 'object' && faultsOf(value as Record<string, unknown>, shape).length === 0;
}

function faultsOf(value: Record<string, unknown>, shape: Record<string, (part: unknown) => boolean>): string[] {
  const names = new Set([...Object.keys(value), ...Object.keys(shape)]);
  return [...names].filter((name) => !shape[name]?.(value[name]));
}

/** The documented string, and the five ways of the dashboard. */
export function smsSignature(
  parameters: Record<string, string>,
  secret: string,
  algorithm: SignatureAlgorithm,
): string {
  let text = '';
  for (const name of Object.keys(parameters).sort()) {
    if (name !== 'sig') text += `&${name}=${parameters[name]!.replaceAll('&', '_').replaceAll('=', '_')}`;
  }
  if (algorithm === 'md5hash')
    return createHash('md5')
      .update(text + secret)
      .digest('hex');
  return createHmac(algorithm, secret).update(text).digest('hex').toUpperCase();
}

export function sms(fields: Record<string, string> = {}): Record<string, string> {
  return {
    msisdn: '33612345678',
    to: '33757000001',
    messageId: randomUUID().toUpperCase(),
    text: 'Bonjour, mon compte ne fonctionne pas.',
    type: 'text',
    keyword: 'BONJOUR',
    'api-key': 'acme-key',
    'message-timestamp': new Date().toISOString().slice(0, 19).replace('T', ' '),
    timestamp: String(Math.floor(Date.now() / 1000)),
    nonce: randomUUID(),
    ...fields,
  };
}

export function signed(
  parameters: Record<string, string>,
  secret: string,
  algorithm: SignatureAlgorithm = 'sha256',
): Record<string, string> {
  return { ...parameters, sig: smsSignature(parameters, secret, algorithm) };
}

export function token(
  body: string,
  secret: string,
  change: { header?: object; claims?: object; signWith?: string } = {},
): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
    iss: 'Vonage',
    api_key: 'acme-key',
    payload_hash: createHash('sha256').update(body).digest('hex'),
    ...change.claims,
  };
  const text = `${encode({ alg: 'HS256', typ: 'JWT', ...change.header })}.${encode(claims)}`;
  return `${text}.${createHmac(change.signWith ?? 'sha256', secret)
    .update(text)
    .digest('base64url')}`;
}

export function whatsapp(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    channel: 'whatsapp',
    message_uuid: randomUUID(),
    from: '33612345678',
    to: '33757000001',
    timestamp: new Date().toISOString(),
    message_type: 'text',
    text: 'Bonjour, mon compte ne fonctionne pas.',
    profile: { name: 'Camille Martin' },
    ...fields,
  };
}

export function isSignedByApplication(authorization: string, publicKey: string): boolean {
  const [header, payload, signature] = authorization.replace('Bearer ', '').split('.');
  return createVerify('sha256').update(`${header}.${payload}`).verify(publicKey, signature!, 'base64url');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
