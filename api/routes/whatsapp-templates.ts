// The templates WhatsApp approved for a number, as admins copy them here.
import type { EntityManager } from '@mikro-orm/postgresql';
import { Conflict, NotFound } from '#domain/errors.ts';
import { mustBeTemplate, WhatsappTemplate } from '#domain/integrations/whatsapp-template.ts';
import { audit } from '#domain/record/audit-event.ts';
import { announce } from '#domain/record/event.ts';
import type { TemplateFields } from '#domain/rules/whatsapp-template.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { whatsappTemplates } from '../contract/whatsapp-templates.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import type { Principal } from '../principal.ts';
import { templateList, templateViewOf } from '../views/template-list.ts';
import { findNumber } from './numbers.ts';

export function whatsappTemplateRoutes({ database }: ApiDependencies): Handlers<typeof whatsappTemplates> {
  return {
    listWhatsappTemplates: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const { id } = await findNumber(em, params.id, ['whatsapp']);
        return { templates: await templateList(em, id) };
      }),

    addWhatsappTemplate: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const { id: integrationId } = await findNumber(em, params.id, ['whatsapp']);
        mustBeTemplate(body);
        const template = { id: newId(), integrationId, ...body };
        await mustBeNew(em, template);
        const added = em.create(WhatsappTemplate, template);
        record(em, principal, 'whatsapp_template.added', added, { after: named(added) });
        return templateViewOf(added);
      }),

    changeWhatsappTemplate: ({ principal, params, body }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const template = await findTemplate(em, params.id);
        mustBeTemplate(body);
        await mustBeNew(em, { id: template.id, integrationId: template.integrationId, ...body });
        const before = named(template);
        em.assign(template, body);
        record(em, principal, 'whatsapp_template.changed', template, { before, after: named(template) });
        return templateViewOf(template);
      }),

    removeWhatsappTemplate: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        const template = await findTemplate(em, params.id);
        em.remove(template);
        record(em, principal, 'whatsapp_template.removed', template, { before: named(template) });
        return undefined;
      }),
  };
}

async function findTemplate(em: EntityManager, id: string): Promise<WhatsappTemplate> {
  const template = await em.findOne(WhatsappTemplate, { id });
  if (!template) throw new NotFound('template.not-found', 'This template does not exist any more: reload the list.');
  await findNumber(em, template.integrationId, ['whatsapp']);
  return template;
}

type Identity = Pick<WhatsappTemplate, 'id' | 'integrationId' | 'name' | 'language'>;

async function mustBeNew(em: EntityManager, { id, integrationId, name, language }: Identity): Promise<void> {
  if ((await em.count(WhatsappTemplate, { id: { $ne: id }, integrationId, name, language })) > 0)
    throw new Conflict('template.exists', 'This number has this template in this language already: change that one.');
}

function named({ name, language }: TemplateFields): Record<string, unknown> {
  return { name, language };
}

function record(
  em: EntityManager,
  principal: Principal,
  action: string,
  { id, integrationId }: WhatsappTemplate,
  states: { before?: Record<string, unknown>; after?: Record<string, unknown> },
): void {
  audit(em, principal.actor, { action, subject: { kind: 'whatsapp-template', id }, ...states });
  announce(em, 'settings.changed', null, { integrationId });
}
