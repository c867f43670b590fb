// A template that WhatsApp approved for a company's number, as its admins keep it: the copy agents choose from and read.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Invalid } from '#domain/errors.ts';
import {
  LONGEST_TEMPLATE_BODY,
  LONGEST_TEMPLATE_NAME,
  type TemplateFields,
  type TemplateProblem,
  templateProblem,
} from '#domain/rules/whatsapp-template.ts';
import { tenantOwned } from '#domain/tenancy/tenant-owned.ts';
import { Integration } from './integration.ts';

const WhatsappTemplateSchema = defineEntity({
  name: 'WhatsappTemplate',
  properties: {
    ...tenantOwned,
    /** The connected number it was approved for. */
    integrationId: p.uuid(),
    name: p.string().length(LONGEST_TEMPLATE_NAME),
    /** As Meta writes it: `fr`, `en_US`. */
    language: p.string().length(10),
    body: p.string().length(LONGEST_TEMPLATE_BODY),
  },
  // One template has a text in each of its languages.
  uniques: [{ properties: ['tenantId', 'integrationId', 'name', 'language'] }],
});

export class WhatsappTemplate extends WhatsappTemplateSchema.class {}
WhatsappTemplateSchema.setClass(WhatsappTemplate);

const SENTENCES: Record<TemplateProblem, string> = {
  name: 'Write the name as WhatsApp knows it: small letters without accents, digits and underscores only.',
  language: 'Write the language as Meta does: fr, en_US.',
  'no-body': 'Copy the text of the template as it was approved.',
  'body-too-long': 'A template has 1,024 characters at most: copy its text only, without header and buttons.',
  'placeholder-form': 'Placeholders are numbers in double braces: write {{1}}, {{2}}…',
  'placeholder-gap': 'Number the placeholders from {{1}} without a gap.',
  'placeholder-at-edge': 'WhatsApp approves no template that begins or ends with a placeholder: copy its whole text.',
};

/** @throws Invalid for what WhatsApp cannot have approved */
export function mustBeTemplate(template: TemplateFields): void {
  const problem = templateProblem(template);
  if (problem) throw new Invalid(`template.${problem}`, SENTENCES[problem]);
}

/** A number that is connected again is another integration; WhatsApp still has its templates. */
export async function takeTemplatesOver(em: EntityManager, { id, channel, address }: Integration): Promise<void> {
  const before = await em.find(Integration, { channel, address, removedAt: { $ne: null } });
  const integrationId = { $in: before.map((integration) => integration.id) };
  await em.nativeUpdate(WhatsappTemplate, { integrationId }, { integrationId: id });
}
