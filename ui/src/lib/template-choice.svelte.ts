// The template somebody fills in for one conversation, kept in this browser until it is sent, like typed words.
import {
  type FilledTemplate,
  fillTemplate,
  parameterCount,
  parameterProblem,
} from '../../../domain/rules/whatsapp-template.ts';
import { api, type WhatsappTemplate } from './api.ts';
import { KeptText } from './kept-text.svelte.ts';

export class TemplateChoice {
  readonly #conversationId: string;
  readonly #language: string | null;
  readonly #kept: KeptText;
  readonly #filled = $derived.by(() => read(this.#kept.text));
  state = $state<'loading' | 'ready' | 'failed'>('loading');
  all = $state.raw<WhatsappTemplate[]>([]);
  /** Whose templates they are; null when the number is connected no more. */
  numberId = $state<string | null>(null);
  /** What was chosen, or else the first one in the client's language. */
  readonly chosen = $derived(
    this.all.find((one) => one.name === this.#filled?.name && one.language === this.#filled.language) ??
      this.all.find((one) => one.language.split('_')[0] === this.#language) ??
      this.all[0] ??
      null,
  );
  readonly parameters = $derived(
    Array.from(
      { length: parameterCount(this.chosen?.body ?? '') },
      (_, index) => this.#filled?.parameters[index] ?? '',
    ),
  );
  readonly problem = $derived(this.parameters.map(parameterProblem).find(Boolean) ?? null);
  readonly text = $derived(fillTemplate(this.chosen?.body ?? '', this.parameters));

  constructor(conversationId: string, language: string | null) {
    this.#conversationId = conversationId;
    this.#language = language;
    this.#kept = kept(conversationId);
  }

  async load(): Promise<void> {
    try {
      const { numberId, templates } = await api.listConversationTemplates({ params: { id: this.#conversationId } });
      this.numberId = numberId;
      this.all = templates;
      this.state = 'ready';
    } catch {
      // What was read before is still good enough to write with.
      if (this.state !== 'ready') this.state = 'failed';
    }
  }

  choose(id: string): void {
    const template = this.all.find((one) => one.id === id);
    if (template) this.#keep(template, this.parameters);
  }

  type(index: number, value: string): void {
    if (this.chosen) this.#keep(this.chosen, this.parameters.with(index, value));
  }

  forget(): void {
    this.#kept.text = '';
  }

  #keep({ name, language }: WhatsappTemplate, parameters: string[]): void {
    this.#kept.text = JSON.stringify({ name, language, parameters });
  }
}

/** Of an answer that was taken back, unless another is being filled in. */
export function restoreTemplate(conversationId: string, template: FilledTemplate): void {
  const where = kept(conversationId);
  if (where.text === '') where.text = JSON.stringify(template);
}

function kept(conversationId: string): KeptText {
  return new KeptText(`template.${conversationId}`);
}

function read(text: string): FilledTemplate | null {
  return text === '' ? null : (JSON.parse(text) as FilledTemplate);
}
