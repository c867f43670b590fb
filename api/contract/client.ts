// The typed client of the contract, for the screens and the tests.
import type { Answer, Call, Contract, Problem, Route } from './route.ts';

export class RefusedByApi extends Error {
  override name = 'RefusedByApi';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

export type ClientOptions = {
  baseUrl?: string;
  fetch?: typeof fetch;
  headers?: () => Record<string, string>;
};

export type ApiClient<C extends Contract> = {
  [Name in keyof C]: unknown extends Call<C[Name]>
    ? () => Promise<Answer<C[Name]>>
    : Record<string, never> extends Call<C[Name]>
      ? (call?: Call<C[Name]>) => Promise<Answer<C[Name]>>
      : (call: Call<C[Name]>) => Promise<Answer<C[Name]>>;
};

type LooseCall = { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown };

/** @throws RefusedByApi for every answer that is not a success */
export function createClient<C extends Contract>(contract: C, options: ClientOptions = {}): ApiClient<C> {
  const methods = Object.entries(contract as Record<string, Route>).map(([name, route]) => [
    name,
    (call: LooseCall = {}) => request(route, call, options),
  ]);
  return Object.fromEntries(methods) as ApiClient<C>;
}

async function request(route: Route, call: LooseCall, options: ClientOptions): Promise<unknown> {
  const send = options.fetch ?? fetch;
  const response = await send(
    `${options.baseUrl ?? ''}/inbox${fillPath(route.path, call.params)}${queryString(call.query)}`,
    {
      method: route.method.toUpperCase(),
      headers: {
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers?.(),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    },
  );
  if (response.status === 204) return undefined;
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new RefusedByApi((answer as Problem | null) ?? unreachable(response));
  return answer;
}

function fillPath(path: string, params: Record<string, unknown> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
}

function queryString(query: Record<string, unknown> = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters}`;
}

function unreachable(response: Response): Problem {
  return { type: 'about:blank', title: response.statusText, status: response.status, code: 'unreachable' };
}
