import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  fillTemplate,
  MOST_PARAMETERS,
  parameterCount,
  parameterProblem,
  type TemplateFields,
  templateProblem,
} from '#domain/rules/whatsapp-template.ts';

const APPROVED = { name: 'suite_de_votre_demande', language: 'fr', body: 'Bonjour {{1}}, votre demande {{2}} avance.' };

describe('a template', () => {
  test.each<Partial<TemplateFields>>([
    {},
    { name: 'a' },
    { name: '9b6b4fcb_da19_4a26_8fe8_78074a91b584:verify' },
    { language: 'en_US' },
    { language: 'fil' },
    { body: 'Bonjour, écrivez-nous quand vous voulez.' },
    // A translation may name them in another order, or one of them twice.
    { body: 'Le {{2}}, {{1}} : le {{2}} !' },
    { body: 'Bonjour {{1}},\n\nà bientôt {l’équipe}.' },
  ])('as WhatsApp approves it is taken: %j', (change) => {
    expect(templateProblem({ ...APPROVED, ...change })).toBeNull();
  });

  test.each<[string, Partial<TemplateFields>]>([
    ['name', { name: '' }],
    ['name', { name: 'Suite' }],
    ['name', { name: 'suite-demande' }],
    ['name', { name: 'suite demande' }],
    ['name', { name: 'réponse' }],
    ['name', { name: 'a:b:c' }],
    ['name', { name: 'suite\n' }],
    ['language', { language: 'fr-FR' }],
    ['language', { language: 'FR' }],
    ['language', { language: 'français' }],
    ['no-body', { body: ' \n' }],
    ['placeholder-form', { body: 'Bonjour {{prénom}}, à bientôt.' }],
    ['placeholder-form', { body: 'Bonjour {{ 1 }}, à bientôt.' }],
    ['placeholder-form', { body: 'Bonjour {{0}}, à bientôt.' }],
    ['placeholder-form', { body: 'Bonjour {{1}, à bientôt.' }],
    ['placeholder-form', { body: 'Bonjour {1}}, à bientôt.' }],
    ['placeholder-gap', { body: 'Bonjour {{2}}, à bientôt.' }],
    ['placeholder-gap', { body: 'Bonjour {{1}}, le {{3}} à midi.' }],
    ['placeholder-at-edge', { body: '{{1}}, à bientôt.' }],
    ['placeholder-at-edge', { body: 'Bonjour {{1}}' }],
    ['placeholder-at-edge', { body: 'Bonjour {{1}} \n' }],
  ])('is refused for its %s: %j', (problem, change) => {
    expect(templateProblem({ ...APPROVED, ...change })).toBe(problem);
  });

  test('is refused for a name or a text that is one character too long', () => {
    const [name, body] = ['a'.repeat(512), 'a'.repeat(1_024)];
    expect(templateProblem({ name, body, language: 'fr' })).toBeNull();
    expect(templateProblem({ ...APPROVED, name: `${name}a` })).toBe('name');
    expect(templateProblem({ ...APPROVED, body: `${body}a` })).toBe('body-too-long');
  });

  test('takes as many values as it has placeholders', () => {
    expect(parameterCount('Bonjour.')).toBe(0);
    expect(parameterCount(APPROVED.body)).toBe(2);
    expect(parameterCount('Le {{2}}, {{1}} : le {{2}} !')).toBe(2);
  });
});

describe('a filled template', () => {
  test('has its values in their places, as they were typed', () => {
    expect(fillTemplate(APPROVED.body, ['Camille', '#12345'])).toBe('Bonjour Camille, votre demande #12345 avance.');
    expect(fillTemplate('Le {{2}}, {{1}} : le {{2}} !', ['Tom', '3 mai'])).toBe('Le 3 mai, Tom : le 3 mai !');
    expect(fillTemplate(APPROVED.body, ['$& $1', '{{1}}'])).toBe('Bonjour $& $1, votre demande {{1}} avance.');
  });

  test('shows the places that nothing was typed for', () => {
    expect(fillTemplate(APPROVED.body, ['', '#1'])).toBe('Bonjour {{1}}, votre demande #1 avance.');
    expect(fillTemplate(APPROVED.body, [])).toBe(APPROVED.body);
  });

  test('keeps every word of the template and every value, whatever they are', () => {
    const words = fc.array(fc.string({ minLength: 1, maxLength: 20 }).map(withoutBraces), { minLength: 2 });
    const values = fc.array(fc.string({ minLength: 1 }), { minLength: MOST_PARAMETERS, maxLength: MOST_PARAMETERS });
    fc.assert(
      fc.property(words, values, (parts, parameters) => {
        const texts = parts.slice(0, MOST_PARAMETERS + 1);
        const body = texts.reduce((whole, text, index) => `${whole}{{${index}}}${text}`);
        expect(parameterCount(body)).toBe(texts.length - 1);
        const filled = texts.reduce((whole, text, index) => `${whole}${parameters[index - 1]}${text}`);
        expect(fillTemplate(body, parameters)).toBe(filled);
      }),
    );
  });
});

describe('the value of a placeholder', () => {
  test.each([
    ['Camille', null],
    ['le 3 mai à 14 h, quai n° 2', null],
    ['a    b', null],
    ['', 'parameter-missing'],
    ['   ', 'parameter-missing'],
    ['une ligne\nune autre', 'parameter-lines'],
    ['une ligne\rune autre', 'parameter-lines'],
    ['une\tautre', 'parameter-lines'],
    ['a     b', 'parameter-spaces'],
  ])('%j: %s', (parameter, problem) => {
    expect(parameterProblem(parameter)).toBe(problem);
  });
});

function withoutBraces(text: string): string {
  return text.replace(/[{}]/g, '.');
}
