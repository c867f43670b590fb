// One description of a route serves four ends: it validates requests and replies, types the handlers, types the client
// of the screens, and becomes the OpenAPI document. Nothing here may import Express or Node.
import { z } from 'zod';
import type { Role } from '#domain/people/role.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type Fields = z.ZodObject;

export type Route<
  Params extends Fields = Fields,
  Query extends Fields = Fields,
  Body extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
> = {
  method: Method;
  /** Under /inbox, parameters in braces: `/conversations/{id}`. */
  path: string;
  summary: string;
  /** The least role that may call it; `anyone` needs no session. */
  role: Role | 'anyone';
  status?: 200 | 201 | 202 | 204;
  params?: Params;
  query?: Query;
  body?: Body;
  /** What a multipart body holds, for the OpenAPI document: the handler reads it as it comes. */
  form?: z.ZodType;
  reply: Reply;
};

// biome-ignore lint/suspicious/noExplicitAny: a contract holds routes of every shape
export type Contract = Record<string, Route<any, any, any, any>>;

export function route<Params extends Fields, Query extends Fields, Body extends z.ZodType, Reply extends z.ZodType>(
  description: Route<Params, Query, Body, Reply>,
): Route<Params, Query, Body, Reply> {
  return description;
}

/** For routes that answer 204. */
export const nothing = z.undefined();

export const byId = z.object({ id: z.uuid() });

type Read<T> = T extends z.ZodType ? z.output<T> : undefined;
type Written<T> = T extends z.ZodType ? z.input<T> : undefined;

/** What a handler receives, validated. */
export type Received<R> =
  R extends Route<infer Params, infer Query, infer Body, z.ZodType>
    ? {
        params: Fields extends Params ? Record<string, never> : Read<Params>;
        query: Fields extends Query ? Record<string, never> : Read<Query>;
        body: z.ZodType extends Body ? undefined : Read<Body>;
      }
    : never;

/** What a handler gives back. */
export type Given<R> = R extends Route<Fields, Fields, z.ZodType, infer Reply> ? Written<Reply> : never;

/** What a caller gets. */
export type Answer<R> = R extends Route<Fields, Fields, z.ZodType, infer Reply> ? Read<Reply> : never;

type Part<Name extends string, Shape, Any> = Any extends Shape
  ? unknown
  : Record<string, never> extends Shape
    ? { [K in Name]?: Shape }
    : { [K in Name]: Shape };

/** What a caller passes; parts a route does not have are left out. */
export type Call<R> =
  R extends Route<infer Params, infer Query, infer Body, z.ZodType>
    ? Part<'params', Fields extends Params ? unknown : Written<Params>, unknown> &
        (Fields extends Query ? unknown : { query?: Written<Query> }) &
        Part<'body', z.ZodType extends Body ? unknown : Written<Body>, unknown>
    : never;

/** RFC 9457 problem details: how every refusal looks. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    /** A stable word a program can branch on. */
    code: z.string(),
    detail: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' });

export type Problem = z.output<typeof problemSchema>;

/** Newest first, without totals: `next` is where the next page begins, null after the last one. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}
