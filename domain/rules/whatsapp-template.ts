// Templates: the texts WhatsApp has approved, the only ones it takes after the window of 24 hours. A template is named
// to WhatsApp with the values of its placeholders; the text itself stays there, and ours is a copy for people to read.

export type TemplateFields = { name: string; language: string; body: string };

/** What leaves: the template's name and language, and what stands in {{1}}, {{2}}… */
export type FilledTemplate = { name: string; language: string; parameters: string[] };

export const LONGEST_TEMPLATE_NAME = 620;
export const LONGEST_TEMPLATE_BODY = 1_024;
export const MOST_PARAMETERS = 99;
export const LONGEST_PARAMETER = 1_024;

export const TEMPLATE_PROBLEMS = [
  'name',
  'language',
  'no-body',
  'body-too-long',
  'placeholder-form',
  'placeholder-gap',
  'placeholder-at-edge',
] as const;
export type TemplateProblem = (typeof TEMPLATE_PROBLEMS)[number];

export const PARAMETER_PROBLEMS = ['parameter-missing', 'parameter-lines', 'parameter-spaces'] as const;
export type ParameterProblem = (typeof PARAMETER_PROBLEMS)[number];

/** Older accounts put the namespace of their company before it, as in Vonage's examples. */
const NAME = /^([a-z0-9_]{1,100}:)?[a-z0-9_]{1,512}$/;
const LANGUAGE = /^[a-z]{2,3}(_[A-Z]{2})?$/;
const PLACEHOLDER = /\{\{([1-9]\d?)\}\}/g;

/**
 * The first thing WhatsApp would not approve, by the guidelines for message templates of its Business Platform.
 * @returns null when there is none
 */
export function templateProblem({ name, language, body }: TemplateFields): TemplateProblem | null {
  if (!NAME.test(name)) return 'name';
  if (!LANGUAGE.test(language)) return 'language';
  return bodyProblem(body);
}

/** How many values a template of this body takes. */
export function parameterCount(body: string): number {
  return Math.max(0, ...numbersIn(body));
}

/** @returns what WhatsApp refuses in the value of a placeholder; null when it takes it */
export function parameterProblem(parameter: string): ParameterProblem | null {
  if (parameter.trim() === '') return 'parameter-missing';
  if (/[\r\n\t]/.test(parameter)) return 'parameter-lines';
  return / {5}/.test(parameter) ? 'parameter-spaces' : null;
}

/** The text as the client reads it; a placeholder without a value stays as it is. */
export function fillTemplate(body: string, parameters: readonly string[]): string {
  return body.replace(PLACEHOLDER, (placeholder, number: string) => parameters[Number(number) - 1] || placeholder);
}

function bodyProblem(body: string): TemplateProblem | null {
  const text = body.trim();
  if (text === '') return 'no-body';
  if (body.length > LONGEST_TEMPLATE_BODY) return 'body-too-long';
  if (/\{\{|\}\}/.test(text.replace(PLACEHOLDER, ''))) return 'placeholder-form';
  if (new Set(numbersIn(text)).size !== parameterCount(text)) return 'placeholder-gap';
  return /^\{\{\d+\}\}|\{\{\d+\}\}$/.test(text) ? 'placeholder-at-edge' : null;
}

function numbersIn(body: string): number[] {
  return [...body.matchAll(PLACEHOLDER)].map(([, number]) => Number(number));
}
