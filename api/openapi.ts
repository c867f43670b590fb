// The OpenAPI document, made from the contract that validates the requests.
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { contract } from './contract/contract.ts';
import { problemSchema, type Route } from './contract/route.ts';

const REFUSALS: Record<number, string> = {
  400: 'The request does not fit this description',
  401: 'Not signed in',
  403: 'The role is too low',
  404: 'There is no such thing in this company',
  409: 'Somebody was faster, or the state does not allow it',
  422: 'Understood, and not valid',
};

export function openApiDocument(publicUrl: string): Record<string, unknown> {
  const paths: ZodOpenApiPathsObject = {};
  for (const [operationId, route] of Object.entries(contract as Record<string, Route>)) {
    const path = `/inbox${route.path}`;
    paths[path] = { ...paths[path], [route.method]: operation(operationId, route) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: { title: 'Relais', version: '1', description: 'A self-hosted inbox for customer messages.' },
    servers: [{ url: publicUrl }],
    paths,
    security: [{ session: [] }],
    components: {
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'relais.session_token' } },
    },
  }) as unknown as Record<string, unknown>;
}

function operation(operationId: string, route: Route): Record<string, unknown> {
  const status = route.status ?? 200;
  const hasReply = route.reply.type !== 'undefined';
  const success = hasReply
    ? { description: 'Done', content: { 'application/json': { schema: route.reply } } }
    : { description: 'Done' };
  return {
    operationId,
    summary: route.summary,
    description: route.role === 'anyone' ? 'Needs no session.' : `Needs the role ${route.role} or a higher one.`,
    ...(route.role === 'anyone' ? { security: [] } : {}),
    requestParams: {
      ...(route.params ? { path: route.params } : {}),
      ...(route.query ? { query: route.query } : {}),
    },
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } } : {}),
    ...(route.form
      ? { requestBody: { required: true, content: { 'multipart/form-data': { schema: route.form } } } }
      : {}),
    responses: {
      [String(status)]: success,
      ...Object.fromEntries(
        Object.entries(REFUSALS).map(([code, description]) => [
          code,
          { description, content: { 'application/problem+json': { schema: problemSchema } } },
        ]),
      ),
    },
  };
}
