import { z } from 'zod';
import { QUARANTINE_REASONS, SIGNATURE_ALGORITHMS } from '#domain/rules/words.ts';
import { integrationView } from './integrations.ts';
import { byId, nothing, pageOf, route } from './route.ts';

const secret = z.string().trim().min(1).max(200);

const numberFields = {
  name: z.string().trim().min(1).max(200),
  apiKey: z.string().trim().min(1).max(100),
  /** Needed where there is no application; it is kept when it is left out of a change. */
  apiSecret: secret.optional(),
  applicationId: z.uuid().nullable(),
  /** PEM, of the application. */
  privateKey: z.string().trim().min(1).max(10_000).optional(),
  signatureAlgorithm: z.enum(SIGNATURE_ALGORITHMS),
  /** A message within so many days of the last one joins its conversation. */
  threadWindowDays: z.int().min(1).max(365),
};

export const numbers = {
  connectNumber: route({
    method: 'post',
    path: '/numbers',
    summary: 'Connect a number for SMS or WhatsApp',
    role: 'admin',
    status: 201,
    body: z.object({
      ...numberFields,
      channel: z.enum(['sms', 'whatsapp']),
      /** International, or a short code. */
      number: z.string().trim().min(3).max(40),
      signatureSecret: secret,
      applicationId: numberFields.applicationId.default(null),
      signatureAlgorithm: numberFields.signatureAlgorithm.default('sha256'),
      threadWindowDays: numberFields.threadWindowDays.default(7),
    }),
    reply: integrationView,
  }),
  changeNumber: route({
    method: 'patch',
    path: '/numbers/{id}',
    summary: 'Change how a number is reached; a signature secret that is replaced works for another day',
    role: 'admin',
    params: byId,
    body: z.object({ ...numberFields, signatureSecret: secret }).partial(),
    reply: integrationView,
  }),
  listQuarantine: route({
    method: 'get',
    path: '/quarantined-calls',
    summary: 'Calls for SMS and WhatsApp that were not let in, newest first',
    role: 'admin',
    query: z.object({ cursor: z.string().max(200).optional() }),
    reply: pageOf(
      z.object({
        id: z.uuid(),
        channel: z.enum(['sms', 'whatsapp']),
        integrationId: z.uuid().nullable(),
        number: z.string().nullable(),
        reason: z.enum(QUARANTINE_REASONS),
        count: z.int(),
        /** Whether it was kept and can be tried again. */
        kept: z.boolean(),
        createdAt: z.iso.datetime(),
        lastAt: z.iso.datetime(),
      }),
    ),
  }),
  retryQuarantinedCall: route({
    method: 'post',
    path: '/quarantined-calls/{id}/retry',
    summary: 'Let a call in now that its signature holds or its number is connected',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
  dismissQuarantinedCall: route({
    method: 'delete',
    path: '/quarantined-calls/{id}',
    summary: 'Forget a call that was not let in',
    role: 'admin',
    status: 204,
    params: byId,
    reply: nothing,
  }),
};
