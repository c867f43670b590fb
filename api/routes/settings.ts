// What admins set: articles, prompt and model, senders, and the audit trail they read.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invalid, NotFound } from '#domain/errors.ts';
import { SenderRule, setSenderRule } from '#domain/integrations/sender-rule.ts';
import { Article } from '#domain/knowledge/article.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import { Credential, keepCredential } from '#domain/secrets/credential.ts';
import { AnsweringSettings } from '#domain/tenancy/answering-settings.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { Answer } from '../contract/route.ts';
import type { answering, knowledge, record, senderRules } from '../contract/settings.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import { auditTrail } from '../views/audit-trail.ts';

export function knowledgeRoutes({ database }: ApiDependencies): Handlers<typeof knowledge> {
  return {
    listArticles: ({ principal }) =>
      database.inTenant(principal.tenantId, async (em) => ({
        articles: (await em.find(Article, {}, { orderBy: { title: 'asc' } })).map(articleViewOf),
      })),

    createArticle: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const article = em.create(Article, body);
        await em.flush();
        audit(em, principal.actor, {
          action: 'article.created',
          subject: { kind: 'article', id: article.id },
          after: { title: article.title },
        });
        return articleViewOf(article);
      }),

    changeArticle: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const article = await findArticle(em, params.id);
        const before = { title: article.title };
        em.assign(article, body);
        audit(em, principal.actor, {
          action: 'article.changed',
          subject: { kind: 'article', id: article.id },
          before,
          after: { title: article.title },
        });
        await em.flush();
        return articleViewOf(article);
      }),

    removeArticle: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const article = await findArticle(em, params.id);
        em.remove(article);
        audit(em, principal.actor, {
          action: 'article.removed',
          subject: { kind: 'article', id: article.id },
          before: { title: article.title },
        });
        return undefined;
      }),
  };
}

export function answeringRoutes({ database, keys }: ApiDependencies): Handlers<typeof answering> {
  return {
    getAnswering: ({ principal }) =>
      database.inTenant(principal.tenantId, async (em) =>
        answeringViewOf(em, await settingsOf(em, principal.tenantId)),
      ),

    changeAnswering: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const { modelKey, ...fields } = body;
        const settings = await settingsOf(em, principal.tenantId);
        const hasKey = modelKey !== undefined || (await em.count(Credential, { name: 'model-key' })) > 0;
        if (fields.modelBaseUrl && !modelKey && hasKey && !isSameOrigin(fields.modelBaseUrl, settings.modelBaseUrl)) {
          throw new Invalid(
            'answering.key-needed',
            'Enter the key together with the new address: the stored one is for the address before.',
          );
        }
        em.assign(settings, fields);
        if (fields.modelEnabled && !hasKey) {
          throw new Invalid(
            'answering.no-key',
            'Enter the key of the model before you switch it on; where it needs none, any word will do.',
          );
        }
        if (fields.modelEnabled && !settings.prompt.trim()) {
          throw new Invalid(
            'answering.no-prompt',
            'Write the prompt of your company before you switch the model on: it speaks for you.',
          );
        }
        if (modelKey) {
          await keepCredential(em, keys, {
            tenantId: principal.tenantId,
            ownerId: principal.tenantId,
            name: 'model-key',
            value: modelKey,
          });
        }
        audit(em, principal.actor, {
          action: 'answering.changed',
          subject: { kind: 'tenant', id: principal.tenantId },
          after: { changed: [...Object.keys(fields), ...(modelKey ? ['modelKey'] : [])] },
        });
        announce(em, 'settings.changed', null, {});
        await em.flush();
        return answeringViewOf(em, settings);
      }),
  };
}

// A key goes to nobody but the server it was entered for.
function isSameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

export function senderRuleRoutes({ database }: ApiDependencies): Handlers<typeof senderRules> {
  return {
    listSenderRules: ({ principal }) =>
      database.inTenant(principal.tenantId, async (em) => ({
        rules: (await em.find(SenderRule, {}, { orderBy: { pattern: 'asc' } })).map(senderRuleViewOf),
      })),

    putSenderRule: ({ principal, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const pattern = body.pattern.replace(/^@/, '');
        const { verdict } = body;
        const rule = await setSenderRule(em, principal.tenantId, { pattern, verdict, createdById: principal.userId });
        audit(em, principal.actor, {
          action: 'sender_rule.set',
          subject: { kind: 'sender-rule', id: rule.id },
          after: { verdict: rule.verdict },
        });
        return senderRuleViewOf(rule);
      }),

    removeSenderRule: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const rule = await em.findOne(SenderRule, { id: params.id });
        if (!rule) throw new NotFound('sender-rule.not-found', 'This sender is not on the list any more.');
        em.remove(rule);
        audit(em, principal.actor, { action: 'sender_rule.removed', subject: { kind: 'sender-rule', id: rule.id } });
        return undefined;
      }),
  };
}

export function recordRoutes({ database }: ApiDependencies): Handlers<typeof record> {
  return {
    listAuditEvents: ({ principal, query }) => database.inTenant(principal.tenantId, (em) => auditTrail(em, query)),
  };
}

async function findArticle(em: EntityManager, id: string): Promise<Article> {
  const article = await em.findOne(Article, { id });
  if (!article) throw new NotFound('article.not-found', 'This article does not exist any more.');
  return article;
}

function articleViewOf({ id, title, text, language, updatedAt }: Article): Answer<typeof knowledge.createArticle> {
  return { id, title, text, language, updatedAt: updatedAt.toISOString() };
}

/** A company that has set nothing yet has the defaults, whoever asks first. */
async function settingsOf(em: EntityManager, tenantId: string): Promise<AnsweringSettings> {
  const known = await em.findOne(AnsweringSettings, {});
  if (known) return known;
  await em.execute(
    'insert into answering_settings (id, tenant_id, created_at) values (?, ?, ?) on conflict (tenant_id) do nothing',
    [newId(), tenantId, new Date()],
  );
  return em.findOneOrFail(AnsweringSettings, {});
}

async function answeringViewOf(
  em: EntityManager,
  settings: AnsweringSettings,
): Promise<Answer<typeof answering.getAnswering>> {
  return {
    prompt: settings.prompt,
    modelBaseUrl: settings.modelBaseUrl,
    modelName: settings.modelName,
    modelEnabled: settings.modelEnabled,
    confidenceThreshold: settings.confidenceThreshold,
    automaticPerClientPerDay: settings.automaticPerClientPerDay,
    automaticPerDay: settings.automaticPerDay,
    hasModelKey: (await em.count(Credential, { name: 'model-key' })) > 0,
  };
}

function senderRuleViewOf({ id, pattern, verdict, createdAt }: SenderRule): Answer<typeof senderRules.putSenderRule> {
  return { id, pattern, verdict, createdAt: createdAt.toISOString() };
}
