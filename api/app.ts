// The HTTP application: what every request passes through, in order, and the routes.
import { randomUUID } from 'node:crypto';
import { toNodeHandler } from 'better-auth/node';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import { NEWEST_MIGRATION } from '#domain/database/migrate.ts';
import { Forbidden } from '#domain/errors.ts';
import { answers } from './contract/answers.ts';
import { businessHours } from './contract/business-hours.ts';
import { consents } from './contract/consents.ts';
import { conversations } from './contract/conversations.ts';
import { drafts, followUps, replies } from './contract/drafts.ts';
import { folders } from './contract/folders.ts';
import { integrations } from './contract/integrations.ts';
import { mailboxes } from './contract/mailboxes.ts';
import { numbers } from './contract/numbers.ts';
import type { Contract } from './contract/route.ts';
import { answering, knowledge, record, senderRules, session } from './contract/settings.ts';
import { uploads } from './contract/uploads.ts';
import { whatsappTemplates } from './contract/whatsapp-templates.ts';
import type { ApiDependencies } from './dependencies.ts';
import { type Handlers, mount } from './mount.ts';
import { openApiDocument } from './openapi.ts';
import { principalOf } from './principal.ts';
import { noSuchRoute, refusals } from './refusals.ts';
import { answerRoutes } from './routes/answers.ts';
import { businessHoursRoutes } from './routes/business-hours.ts';
import { consentRoutes } from './routes/consents.ts';
import { contentRoutes } from './routes/content.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { draftRoutes, followUpRoutes, replyRoutes } from './routes/drafts.ts';
import { folderRoutes } from './routes/folders.ts';
import { integrationRoutes } from './routes/integrations.ts';
import { mailboxRoutes } from './routes/mailboxes.ts';
import { numberRoutes } from './routes/numbers.ts';
import { sessionRoutes } from './routes/session.ts';
import { answeringRoutes, knowledgeRoutes, recordRoutes, senderRuleRoutes } from './routes/settings.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { whatsappTemplateRoutes } from './routes/whatsapp-templates.ts';
import { AUTH_PATH, CLIENT_IP_HEADER } from './sign-in.ts';
import { customWebhook } from './webhooks/custom.ts';
import { textWebhooks } from './webhooks/text-messages.ts';

/** What of the auth library is reachable from outside; everything else of it is ours to call. */
const AUTH_ENDPOINTS = [
  '/sign-in/email',
  '/sign-out',
  '/get-session',
  '/change-password',
  '/list-sessions',
  '/revoke-session',
];

export function createApp(dependencies: ApiDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', trustProxy(dependencies.trustProxy));
  app.use(requestId, clientAddress);
  // The screens bring their own content security policy, mail bodies a stricter one.
  app.use(helmet({ contentSecurityPolicy: false, crossOriginEmbedderPolicy: false }));
  app.get('/healthz', (_request, response) => void response.send('alive\n'));
  app.get('/readyz', readiness(dependencies));
  app.use('/inbox/webhooks', customWebhook(dependencies), textWebhooks(dependencies));
  app.use('/inbox', fromOurOwnPages(dependencies.publicUrl));
  app.all(
    AUTH_ENDPOINTS.map((path) => `${AUTH_PATH}${path}`),
    toNodeHandler(dependencies.signIn),
  );
  app.use('/inbox', express.json({ limit: '2mb' }), routes(dependencies));
  app.use('/inbox', noSuchRoute);
  if (dependencies.screens) app.use(dependencies.screens);
  app.use(noSuchRoute);
  app.use(refusals(dependencies.log));
  return app;
}

function routes(dependencies: ApiDependencies) {
  const router = express.Router();
  const identify = (request: express.Request) => principalOf(dependencies, request);
  const resource = <C extends Contract>(contract: C, handlers: Handlers<C>) =>
    router.use(mount(contract, handlers, identify));
  resource(session, sessionRoutes(dependencies));
  resource(conversations, conversationRoutes(dependencies));
  resource(answers, answerRoutes(dependencies));
  resource(drafts, draftRoutes(dependencies));
  resource(replies, replyRoutes(dependencies));
  resource(uploads, uploadRoutes(dependencies));
  resource(followUps, followUpRoutes(dependencies));
  resource(folders, folderRoutes(dependencies));
  resource(integrations, integrationRoutes(dependencies));
  resource(consents, consentRoutes(dependencies));
  resource(mailboxes, mailboxRoutes(dependencies));
  resource(numbers, numberRoutes(dependencies));
  resource(whatsappTemplates, whatsappTemplateRoutes(dependencies));
  resource(knowledge, knowledgeRoutes(dependencies));
  resource(answering, answeringRoutes(dependencies));
  resource(senderRules, senderRuleRoutes(dependencies));
  resource(businessHours, businessHoursRoutes(dependencies));
  resource(record, recordRoutes(dependencies));
  router.use(contentRoutes(dependencies));
  router.get('/events', async (request, response) => {
    const { tenantId } = await identify(request);
    await dependencies.live.watch(tenantId, request, response);
  });
  const document = openApiDocument(dependencies.publicUrl);
  router.get('/openapi.json', (_request, response) => void response.json(document));
  return router;
}

const requestId: RequestHandler = (request, response, next) => {
  const given = request.get('x-request-id');
  response.set('X-Request-Id', given && /^[\w-]{1,64}$/.test(given) ? given : randomUUID());
  next();
};

const clientAddress: RequestHandler = (request, _response, next) => {
  request.headers[CLIENT_IP_HEADER] = request.ip ?? '';
  next();
};

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

// A page of somebody else must not act with a visitor's cookie: browsers say where a request comes from.
function fromOurOwnPages(publicUrl: string): RequestHandler {
  const ownOrigin = new URL(publicUrl).origin;
  return (request, _response, next) => {
    if (SAFE_METHODS.has(request.method) || !request.headers.cookie) return next();
    const site = request.get('sec-fetch-site');
    const origin = request.get('origin');
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    const foreignOrigin =
      origin !== undefined && origin !== ownOrigin && origin !== `${request.protocol}://${request.get('host')}`;
    if (foreignSite || foreignOrigin) {
      throw new Forbidden(
        'origin.foreign',
        'This request does not come from a page of Relais: open Relais and try there.',
      );
    }
    next();
  };
}

function readiness({ database }: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    try {
      const [row] = await database.outsideTenants<{ current: boolean }>(
        'select exists (select from mikro_orm_migrations where name = ?) as current',
        [NEWEST_MIGRATION],
      );
      if (row?.current) response.send('ready\n');
      else response.status(503).send('The database has not been migrated yet.\n');
    } catch {
      response.status(503).send('The database does not answer.\n');
    }
  };
}

function trustProxy(setting: string): string | number | boolean {
  if (/^\d+$/.test(setting)) return Number(setting);
  return setting === 'false' ? false : setting === 'true' ? true : setting;
}
