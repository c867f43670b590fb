import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { contract } from '#api/contract/contract.ts';
import type { Problem, Route } from '#api/contract/route.ts';
import { hasRole, ROLES, type Role } from '#domain/people/role.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { type Company, PASSWORD, type Person, Road } from '../support/road.ts';

let road: Road;
let acme: Company;
let globex: Company;
const people = new Map<Role, Person>();

beforeAll(async () => {
  road = await Road.open();
  acme = await road.company('acme');
  globex = await road.company('globex');
  people.set('owner', acme.owner);
  for (const role of ['admin', 'agent', 'viewer'] as const) people.set(role, await road.person(acme, role, role));
});

afterAll(() => road?.close());

type OpenApi = {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string; responses: Record<string, unknown> }>>;
};

const routes = Object.entries(contract as Record<string, Route>);

function call(route: Route, headers: Record<string, string> = {}): Promise<Response> {
  const path = route.path.replace(/\{\w+\}/g, newId());
  const hasBody = route.method !== 'get';
  return fetch(`${road.url}/inbox${path}`, {
    method: route.method.toUpperCase(),
    headers: { ...(hasBody ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(hasBody ? { body: '{}' } : {}),
  });
}

describe('every route', () => {
  test.each(routes.filter(([, route]) => route.role !== 'anyone'))(
    '%s refuses a visitor without a session',
    async (_name, route) => {
      const answer = await call(route);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'session.missing' });
    },
  );

  test.each(routes.filter(([, route]) => route.role !== 'anyone'))(
    '%s asks for its role and takes every higher one',
    async (_name, route) => {
      for (const role of ROLES) {
        const answer = await call(route, { cookie: people.get(role)!.cookie, origin: road.url });
        const refused = answer.status === 403 && ((await answer.json()) as Problem).code === 'role.too-low';
        expect({ role, refused }).toEqual({ role, refused: !hasRole(role, route.role as Role) });
      }
    },
  );

  test.each(routes.filter(([, route]) => route.params && route.role !== 'anyone'))(
    '%s says "not found" for what is not there, and not more',
    async (_name, route) => {
      const answer = await call(route, { cookie: acme.owner.cookie, origin: road.url });
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    },
  );

  test('is described by a valid OpenAPI document with its refusals', async () => {
    const document = (await (await fetch(`${road.url}/inbox/openapi.json`)).json()) as OpenApi;
    expect(document.openapi).toBe('3.1.1');
    for (const [name, route] of routes) {
      const operation = document.paths[`/inbox${route.path}`]![route.method]!;
      expect(operation.operationId).toBe(name);
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '401', '403', '404', '409']));
    }
  });
});

describe('a request that does not fit', () => {
  test('is refused with what to change, field by field', async () => {
    const refusal = await acme.owner.api
      .createFolder({ body: { name: '', rules: [{ field: 'colour', operator: 'equals', value: 'x' }] } as never })
      .catch((error) => error.problem);
    expect(refusal).toMatchObject({ status: 400, code: 'request.not-valid' });
    expect(refusal.errors.map((fault: { path: string }) => fault.path)).toEqual(['body.name', 'body.rules.0']);
  });

  test.each(['not json', '{"name":'])('is told that %s is not readable', async (body) => {
    const answer = await fetch(`${road.url}/inbox/folders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: acme.owner.cookie, origin: road.url },
      body,
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ code: 'request.not-readable' });
  });

  test('is told so when it is too large', async () => {
    const answer = await fetch(`${road.url}/inbox/articles`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: acme.owner.cookie, origin: road.url },
      body: JSON.stringify({ title: 'x', text: 'x'.repeat(3_000_000), language: 'fr' }),
    });
    expect(answer.status).toBe(413);
  });
});

describe('a page of somebody else', () => {
  test.each([
    { origin: 'https://evil.test' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'https://evil.test' },
  ])('cannot act with a visitor’s cookie: %o', async (headers) => {
    const answer = await fetch(`${road.url}/inbox/folders`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        cookie: acme.owner.cookie,
        ...(headers as Record<string, string>),
      },
      body: JSON.stringify({ name: 'Intrus' }),
    });
    expect(answer.status).toBe(403);
    expect((await acme.owner.api.listFolders()).folders.map((folder) => folder.name)).not.toContain('Intrus');
  });
});

describe('signing in', () => {
  test('fails with a wrong password, and slows down who keeps trying', async () => {
    const attempt = () =>
      fetch(`${road.url}/inbox/auth/sign-in/email`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: road.url, 'x-forwarded-for': '203.0.113.9' },
        body: JSON.stringify({ email: globex.owner.email, password: 'not the password' }),
      });
    const statuses: number[] = [];
    for (let count = 0; count < 12; count += 1) statuses.push((await attempt()).status);
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
  });

  test('keeps no password in clear and offers no way to sign up', async () => {
    const { rows } = await road.db.owner.query('select password from auth.account');
    for (const { password } of rows) expect(password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const answer = await fetch(`${road.url}/inbox/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: road.url },
      body: JSON.stringify({ email: 'mallory@evil.test', password: PASSWORD, name: 'Mallory' }),
    });
    expect(answer.status).toBe(404);
  });

  test('ends everywhere the session is used once it is signed out', async () => {
    const tom = await road.person(acme, 'agent', 'Tom');
    await fetch(`${road.url}/inbox/auth/sign-out`, {
      method: 'POST',
      headers: { cookie: tom.cookie, origin: road.url, 'content-type': 'application/json' },
      body: '{}',
    });
    await expect(tom.api.getMe()).rejects.toMatchObject({ problem: { status: 401 } });
  });
});

describe('the audit trail', () => {
  test('tells who did what, from where, and only to the company it happened in', async () => {
    const folder = await acme.owner.api.createFolder({ body: { name: 'Tracé' } });
    await acme.owner.api.changeFolder({ params: { id: folder.id }, body: { name: 'Tracé encore' } });
    const { items } = await acme.owner.api.listAuditEvents({ query: { subjectId: folder.id } });
    expect(items.map((event) => event.action)).toEqual(['folder.changed', 'folder.created']);
    expect(items[0]).toMatchObject({
      actorKind: 'person',
      actorId: acme.owner.id,
      before: { name: 'Tracé' },
      after: { name: 'Tracé encore' },
      ip: expect.stringContaining('127.0.0.1'),
    });
    expect((await globex.owner.api.listAuditEvents({ query: { subjectId: folder.id } })).items).toEqual([]);
  });

  test('never holds a secret', async () => {
    await acme.owner.api.changeAnswering({ body: { modelKey: 'sk-very-secret', prompt: 'Bonjour' } });
    const { secret } = await acme.owner.api.createWebhook({ body: { name: 'Secret' } });
    const { rows } = await road.db.owner.query('select before, after from audit_event');
    expect(JSON.stringify(rows)).not.toContain('sk-very-secret');
    expect(JSON.stringify(rows)).not.toContain(secret);
    expect(await acme.owner.api.getAnswering()).toMatchObject({ hasModelKey: true });
    expect(JSON.stringify(await acme.owner.api.getAnswering())).not.toContain('sk-very-secret');
  });
});
