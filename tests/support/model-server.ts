// A local endpoint that speaks the documented protocol of chat completions, faults included. What it answers is made
// from what it is asked, by rules a test can read.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Turn = { role: string; content: string };
export type ModelRequest = { name: string; model: string; messages: Turn[]; authorization: string | undefined };

export type ModelFault =
  | { kind: 'status'; status: number; retryAfter?: string }
  | { kind: 'silence' }
  | { kind: 'broken-json' }
  /** It answers, in words of its own. */
  | { kind: 'words'; words: string }
  | { kind: 'refusal' };

type Judgement = { folder: number; confidence: number; reason: string; intent: string; urgent: boolean };
type Drafting = { answer: string; articles: number[]; manipulation: boolean };

/** Judges and drafts as a test says, in its time; by default it chooses no folder and writes one sentence. */
export type ModelBehaviour = {
  judgement: (request: ModelRequest) => Judgement | Promise<Judgement>;
  draft: (request: ModelRequest) => Drafting | Promise<Drafting>;
};

export class ModelServer {
  readonly requests: ModelRequest[] = [];
  readonly faults: ModelFault[] = [];
  behaviour: ModelBehaviour = {
    judgement: () => ({ folder: 0, confidence: 0.2, reason: 'Nothing fits.', intent: 'question', urgent: false }),
    draft: () => ({ answer: 'Bonjour, nous nous en occupons.', articles: [], manipulation: false }),
  };
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(({ status, headers, body }) => {
        if (status === 0) return;
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      });
    });
  }

  static async open(): Promise<ModelServer> {
    const model = new ModelServer();
    await new Promise<void>((resolve) => model.#server.listen(0, '127.0.0.1', resolve));
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers?: Record<string, string>; body?: unknown }> {
    const sent = JSON.parse(await bodyOf(request)) as {
      model: string;
      messages: Turn[];
      response_format: { json_schema: { name: string } };
    };
    const asked: ModelRequest = {
      name: sent.response_format.json_schema.name,
      model: sent.model,
      messages: sent.messages,
      authorization: request.headers.authorization,
    };
    this.requests.push(asked);
    const fault = this.faults.shift();
    if (fault?.kind === 'silence') return { status: 0 };
    if (fault?.kind === 'status') {
      const headers = fault.retryAfter ? { 'retry-after': fault.retryAfter } : undefined;
      return {
        status: fault.status,
        ...(headers ? { headers } : {}),
        body: { error: { message: 'no', type: 'error' } },
      };
    }
    if (fault?.kind === 'refusal')
      return completion({ role: 'assistant', content: null, refusal: 'I cannot help with that.' });
    if (fault?.kind === 'broken-json')
      return completion({ role: 'assistant', content: '{"folder": 1, "confi', refusal: null });
    if (fault?.kind === 'words') return completion({ role: 'assistant', content: fault.words, refusal: null });
    const answer = await (asked.name === 'judgement' ? this.behaviour.judgement(asked) : this.behaviour.draft(asked));
    return completion({ role: 'assistant', content: JSON.stringify(answer), refusal: null });
  }
}

function completion(message: { role: string; content: string | null; refusal: string | null }) {
  return {
    status: 200,
    body: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model: 'stand-in',
      choices: [{ index: 0, finish_reason: 'stop', message }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
