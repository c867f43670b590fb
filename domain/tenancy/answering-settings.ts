// How a company wants to be answered for: the prompt that every draft starts from, the model, the daily ceilings.
import { defineEntity, p } from '@mikro-orm/core';
import { tenantOwned } from './tenant-owned.ts';

const AnsweringSettingsSchema = defineEntity({
  name: 'AnsweringSettings',
  properties: {
    ...tenantOwned,
    /** Required before any folder may answer by the model. */
    prompt: p.text().default(''),
    /** Any OpenAI-compatible endpoint; the key is the credential `model-key` of the tenant. */
    modelBaseUrl: p.string().length(500).default('https://api.openai.com/v1'),
    modelName: p.string().length(100).default('gpt-5-mini'),
    modelEnabled: p.boolean().default(false),
    /** Under this confidence a message stays unsorted and an agent decides. */
    confidenceThreshold: p.float().default(0.6),
    automaticPerClientPerDay: p.integer().default(3),
    automaticPerDay: p.integer().default(500),
  },
  uniques: [{ properties: ['tenantId'] }],
});

export class AnsweringSettings extends AnsweringSettingsSchema.class {}
AnsweringSettingsSchema.setClass(AnsweringSettings);
