import { z } from 'zod';
import { ROLES } from '#domain/people/role.ts';
import { LOCALES } from '#domain/rules/words.ts';
import { byId, nothing, pageOf, route } from './route.ts';

export const SHORTEST_PASSWORD = 12;

export const session = {
  getWelcome: route({
    method: 'get',
    path: '/welcome',
    summary: 'Whether this installation still waits for its first account',
    role: 'anyone',
    reply: z.object({ open: z.boolean(), shortestPassword: z.int() }),
  }),
  welcome: route({
    method: 'post',
    path: '/welcome',
    summary: 'Make the first company and its owner, by the link that was printed at the first start',
    role: 'anyone',
    status: 201,
    body: z.object({
      token: z.string().min(1).max(200),
      company: z.string().trim().min(1).max(200),
      name: z.string().trim().min(1).max(200),
      email: z.email().max(254),
      password: z.string().min(SHORTEST_PASSWORD).max(128),
      locale: z.enum(LOCALES).default('fr'),
    }),
    reply: z.object({ tenantId: z.uuid() }),
  }),
  getMe: route({
    method: 'get',
    path: '/me',
    summary: 'Who is signed in, for which company, in which role',
    role: 'viewer',
    reply: z.object({
      user: z.object({ id: z.uuid(), name: z.string(), email: z.string() }),
      tenant: z.object({ id: z.uuid(), name: z.string(), locale: z.enum(LOCALES), timeZone: z.string() }),
      role: z.enum(ROLES),
      undoMs: z.int(),
    }),
  }),
  listUsers: route({
    method: 'get',
    path: '/users',
    summary: 'The people of this company',
    role: 'viewer',
    reply: z.object({
      users: z.array(z.object({ id: z.uuid(), name: z.string(), email: z.string(), role: z.enum(ROLES) })),
    }),
  }),
};

export const articleView = z
  .object({
    id: z.uuid(),
    title: z.string(),
    text: z.string(),
    language: z.enum(['fr', 'en']),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Article' });

const articleFields = z.object({
  title: z.string().trim().min(1).max(300),
  text: z.string().trim().min(1).max(200_000),
  language: z.enum(['fr', 'en']),
});

export const knowledge = {
  listArticles: route({
    method: 'get',
    path: '/articles',
    summary: 'Knowledge articles',
    role: 'viewer',
    reply: z.object({ articles: z.array(articleView) }),
  }),
  createArticle: route({
    method: 'post',
    path: '/articles',
    summary: 'Write an article',
    role: 'admin',
    status: 201,
    body: articleFields,
    reply: articleView,
  }),
  changeArticle: route({
    method: 'patch',
    path: '/articles/{id}',
    summary: 'Change an article',
    role: 'admin',
    params: byId,
    body: articleFields.partial(),
    reply: articleView,
  }),
  removeArticle: route({
    method: 'delete',
    path: '/articles/{id}',
    summary: 'Remove an article',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
};

const answeringFields = z.object({
  prompt: z.string().max(20_000),
  modelBaseUrl: z.url({ protocol: /^https?$/ }).max(500),
  modelName: z.string().trim().min(1).max(100),
  modelEnabled: z.boolean(),
  confidenceThreshold: z.number().min(0).max(1),
  automaticPerClientPerDay: z.int().min(0).max(100),
  automaticPerDay: z.int().min(0).max(100_000),
});

export const answeringView = answeringFields.extend({ hasModelKey: z.boolean() }).meta({ id: 'AnsweringSettings' });

export const answering = {
  getAnswering: route({
    method: 'get',
    path: '/answering-settings',
    summary: 'Prompt, model and ceilings',
    role: 'admin',
    reply: answeringView,
  }),
  changeAnswering: route({
    method: 'patch',
    path: '/answering-settings',
    summary: 'Change prompt, model or ceilings; the key is stored sealed and never shown again',
    role: 'admin',
    body: answeringFields.partial().extend({ modelKey: z.string().min(1).max(1_000).optional() }),
    reply: answeringView,
  }),
};

export const senderRuleView = z.object({
  id: z.uuid(),
  pattern: z.string(),
  verdict: z.enum(['allow', 'block']),
  createdAt: z.iso.datetime(),
});

export const senderRules = {
  listSenderRules: route({
    method: 'get',
    path: '/sender-rules',
    summary: 'Senders this company lets through or keeps out',
    role: 'admin',
    reply: z.object({ rules: z.array(senderRuleView) }),
  }),
  putSenderRule: route({
    method: 'post',
    path: '/sender-rules',
    summary: 'Allow or block an address or a domain',
    role: 'admin',
    status: 201,
    body: z.object({
      pattern: z
        .string()
        .trim()
        .toLowerCase()
        .regex(/^@?([^\s@]+@)?[a-z0-9.-]+\.[a-z]{2,}$/, 'is an address (news@shop.com) or a domain (shop.com)'),
      verdict: z.enum(['allow', 'block']),
    }),
    reply: senderRuleView,
  }),
  removeSenderRule: route({
    method: 'delete',
    path: '/sender-rules/{id}',
    summary: 'Forget what was said of a sender',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
};

export const auditEventView = z
  .object({
    id: z.uuid(),
    at: z.iso.datetime(),
    actorKind: z.string(),
    actorId: z.uuid().nullable(),
    action: z.string(),
    subjectKind: z.string(),
    subjectId: z.uuid(),
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
    ip: z.string().nullable(),
  })
  .meta({ id: 'AuditEvent' });

export const record = {
  listAuditEvents: route({
    method: 'get',
    path: '/audit-events',
    summary: 'Who did what and when, newest first',
    role: 'admin',
    query: z.object({
      action: z.string().max(60).optional(),
      actorId: z.uuid().optional(),
      subjectId: z.uuid().optional(),
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
      cursor: z.string().max(200).optional(),
      limit: z.coerce.number<number>().int().min(1).max(500).default(50),
    }),
    reply: pageOf(auditEventView),
  }),
};
