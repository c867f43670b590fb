// Mounts a contract: session and role, validation of what comes in and of what goes out, then the handler.
import { type Request, type Response, Router } from 'express';
import type { z } from 'zod';
import { Forbidden } from '#domain/errors.ts';
import { hasRole } from '#domain/people/role.ts';
import type { Contract, Given, Received, Route } from './contract/route.ts';
import type { Principal } from './principal.ts';
import { DoesNotFit } from './refusals.ts';

/** Handlers of routes that need a session get its principal; `anyone` routes get null. */
export type Handlers<C extends Contract> = {
  [Name in keyof C]: (
    call: Received<C[Name]> & {
      principal: C[Name]['role'] extends 'anyone' ? null : Principal;
      request: Request;
      response: Response;
    },
  ) => Promise<Given<C[Name]>>;
};

export function mount<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  principalOf: (request: Request) => Promise<Principal>,
): Router {
  const router = Router();
  for (const [name, route] of Object.entries(contract as Record<string, Route>)) {
    const handle = handlers[name as keyof C] as (call: unknown) => Promise<unknown>;
    router[route.method](route.path.replace(/\{(\w+)\}/g, ':$1'), async (request, response) => {
      const principal = route.role === 'anyone' ? null : await permitted(route, await principalOf(request));
      const reply = await handle({ ...received(route, request), principal, request, response });
      if (response.headersSent) return;
      const status = route.status ?? 200;
      if (status === 204 || reply === undefined) response.status(status).end();
      // What the contract does not name does not leave the house.
      else response.status(status).json(route.reply.parse(reply));
    });
  }
  return router;
}

function permitted(route: Route, principal: Principal): Principal {
  if (route.role !== 'anyone' && !hasRole(principal.role, route.role)) {
    throw new Forbidden('role.too-low', `This needs the role ${route.role}: ask somebody who has it.`);
  }
  return principal;
}

function received(route: Route, request: Request): Record<string, unknown> {
  const errors: { path: string; message: string }[] = [];
  const parts = Object.fromEntries(
    (['params', 'query', 'body'] as const).map((part) => {
      const shape = route[part] as z.ZodType | undefined;
      if (!shape) return [part, undefined];
      const result = shape.safeParse(request[part] ?? {});
      if (!result.success) {
        errors.push(
          ...result.error.issues.map((issue) => ({ path: [part, ...issue.path].join('.'), message: issue.message })),
        );
      }
      return [part, result.data];
    }),
  );
  if (errors.length > 0) throw new DoesNotFit(errors);
  return parts;
}
