import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  describeRule,
  matchRule,
  type RuleCondition,
  type RuleField,
  type RuleFilter,
  ruleProblems,
} from '../../domain/rules/rule-filter.ts';
import { facts } from './fixture-mail.ts';

const contains = (field: RuleField, value: string, exact?: boolean): RuleCondition =>
  exact === undefined ? { field, operator: 'contains', value } : { field, operator: 'contains', value, exact };
const matches = (value: string, exact = false): RuleCondition => ({
  field: 'content',
  operator: 'matches',
  value,
  exact,
});

const RENDEZ_VOUS: RuleFilter = { any: [contains('subject', 'RDV'), contains('content', 'rendez-vous')] };
const SUPPORT: RuleFilter = {
  all: [{ field: 'sender.address', operator: 'equals', value: 'support@client.com' }, contains('content', 'problème')],
};

describe('the examples of the trade work as written', () => {
  test('Rendez-vous takes a mail with RDV in its subject, and says so', () => {
    expect(matchRule(RENDEZ_VOUS, facts({ subject: 'Re: rdv demain' }))).toEqual({
      matched: true,
      evidence: [{ field: 'subject', words: 'rdv' }],
    });
  });

  test('Rendez-vous takes a mail that writes the word with a non-breaking hyphen and capitals', () => {
    const message = facts({ text: 'Un RENDEZ\u2011VOUS, s’il vous plaît' });
    expect(matchRule(RENDEZ_VOUS, message).evidence).toEqual([{ field: 'content', words: 'RENDEZ\u2011VOUS' }]);
  });

  test('Rendez-vous leaves other mail alone', () => {
    expect(matchRule(RENDEZ_VOUS, facts())).toEqual({ matched: false, evidence: [] });
  });

  test('Support needs both the sender and the word', () => {
    const sender = { address: 'Support@Client.com', name: null, phone: null };
    const text = 'Nous avons un Probleme avec la caisse';
    expect(matchRule(SUPPORT, facts({ sender, text })).evidence).toEqual([
      { field: 'sender.address', words: 'Support@Client.com' },
      { field: 'content', words: 'Probleme' },
    ]);
    expect(matchRule(SUPPORT, facts({ text })).matched).toBe(false);
    expect(matchRule(SUPPORT, facts({ sender })).matched).toBe(false);
  });
});

describe('comparison', () => {
  test.each([
    ['problème', 'PROBLEME'],
    ['probleme', 'proble\u0300me'],
    ['coeur', 'CŒUR'],
    ['Strasse', 'Straße'],
    ["l'été", 'L\u2019ETE'],
    ['bon de commande', 'bon\u00a0de\r\n   commande'],
    ['mot de passe', 'mot\u00ad de\u200b passe'],
  ])('%s is found in %s', (value, text) => {
    expect(matchRule(contains('content', value), facts({ text: `-- ${text} --` })).matched).toBe(true);
  });

  test('where case and accents count, typography still does not', () => {
    const text = 'L\u2019e\u0301te\u0301 prochain';
    expect(matchRule(contains('content', "L'été", true), facts({ text })).matched).toBe(true);
    expect(matchRule(contains('content', "l'été", true), facts({ text })).matched).toBe(false);
    expect(matchRule(contains('content', "L'ete", true), facts({ text })).matched).toBe(false);
  });

  test('equals wants the whole field, startsWith its beginning', () => {
    const message = facts({ subject: ' Facture 12 ' });
    const subject = (operator: 'equals' | 'startsWith', value: string) =>
      matchRule({ field: 'subject', operator, value }, message).matched;
    expect([subject('equals', 'facture 12'), subject('equals', 'facture')]).toEqual([true, false]);
    expect([subject('startsWith', 'FACT'), subject('startsWith', '12')]).toEqual([true, false]);
  });

  test('the words shown are whole words in the spelling of the message, at most 80 characters', () => {
    const shown = (text: string, value: string) =>
      matchRule(contains('content', value), facts({ text })).evidence[0]!.words;
    expect(shown('Nos Problèmes, hélas', 'roblem')).toBe('Problèmes');
    expect(shown(`x${'é'.repeat(500)}`, 'e'.repeat(300)).length).toBe(80);
    expect(shown(`${'a'.repeat(79)}😀 b`, `${'a'.repeat(79)}😀`).isWellFormed()).toBe(true);
  });
});

describe('fields', () => {
  test('a domain equals itself and no subdomain', () => {
    const from = (address: string) => facts({ sender: { address, name: null, phone: null } });
    const domain = (operator: 'equals' | 'contains', value: string): RuleFilter => ({
      field: 'sender.domain',
      operator,
      value,
    });
    expect(matchRule(domain('equals', 'sub.client.com'), from('a@sub.client.com')).matched).toBe(true);
    expect(matchRule(domain('equals', 'client.com'), from('a@sub.client.com')).matched).toBe(false);
    expect(matchRule(domain('contains', 'client.com'), from('a@sub.client.com')).matched).toBe(true);
  });

  test('the sender of an SMS is its number', () => {
    const message = facts({ channel: 'sms', sender: { address: null, name: null, phone: '+33612345678' } });
    expect(matchRule(contains('sender.address', '+336'), message).matched).toBe(true);
    expect(matchRule(contains('sender.domain', '336'), message).matched).toBe(false);
  });

  test('content is the new text and the quoted text, recipients are to and cc', () => {
    const message = facts({
      newText: 'Oui',
      text: 'Oui\n> Un devis ?',
      recipients: ['a@acme.test', 'ventes@acme.test'],
    });
    expect(matchRule(contains('content', 'devis'), message).matched).toBe(true);
    expect(matchRule({ field: 'content', operator: 'equals', value: 'oui' }, message).matched).toBe(true);
    expect(matchRule(contains('recipient', 'ventes@'), message).matched).toBe(true);
  });

  test('channel, language, name and attachment compare', () => {
    const message = facts({ channel: 'whatsapp', hasAttachment: true });
    const equals = (field: RuleField, value: string) =>
      matchRule({ field, operator: 'equals', value }, message).matched;
    expect([equals('channel', 'whatsapp'), equals('channel', 'email')]).toEqual([true, false]);
    expect([equals('language', 'FR'), equals('language', 'en')]).toEqual([true, false]);
    expect([equals('hasAttachment', 'true'), equals('hasAttachment', 'false')]).toEqual([true, false]);
    expect(equals('sender.name', 'camille noel')).toBe(true);
  });

  test("a client's attribute is one the client has, never one that every object has", () => {
    const message = facts({ client: { tier: 'Gold' } });
    expect(matchRule(contains('client.tier', 'gold'), message).matched).toBe(true);
    expect(matchRule(contains('client.city', 'gold'), message).matched).toBe(false);
    expect(matchRule(contains('client.constructor', 'function'), message).matched).toBe(false);
  });
});

describe('groups', () => {
  test('nested AND, OR and NOT decide as in logic, for every rule and message', () => {
    const words = ['facture', 'devis', 'retard'];
    const leaf = fc.constantFrom(...words).map((word): RuleFilter => contains('content', word));
    const { rule } = fc.letrec<{ rule: RuleFilter }>((tie) => ({
      rule: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
        fc.array(tie('rule'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
        tie('rule').map((not) => ({ not })),
      ),
    }));
    const truth = (filter: RuleFilter, text: string): boolean => {
      if ('all' in filter) return filter.all.every((one) => truth(one, text));
      if ('any' in filter) return filter.any.some((one) => truth(one, text));
      return 'not' in filter ? !truth(filter.not, text) : text.includes(filter.value);
    };
    fc.assert(
      fc.property(rule, fc.subarray(words), (filter, present) => {
        fc.pre(ruleProblems(filter).length === 0);
        const text = present.join(' ');
        const found = matchRule(filter, facts({ text }));
        expect(found.matched).toBe(truth(filter, text));
        for (const { words: shown } of found.evidence) expect(text).toContain(shown);
      }),
    );
  });

  test('all that matched of an OR is shown, each word once', () => {
    const rule: RuleFilter = {
      any: [contains('content', 'devis'), contains('content', 'DEVIS'), contains('subject', 'x')],
    };
    expect(matchRule(rule, facts({ text: 'un devis' })).evidence).toEqual([{ field: 'content', words: 'devis' }]);
  });

  test('NOT of a broken expression matches nothing instead of everything', () => {
    expect(matchRule({ not: matches('(') }, facts()).matched).toBe(false);
  });
});

describe('expressions', () => {
  test('case and accents do not count, unless exact', () => {
    const message = facts({ text: 'Numéro de Commande : 123456' });
    expect(matchRule(matches('NUMERO de commande\\s*:\\s*\\d{6}'), message).evidence[0]!.words).toBe(
      'Numéro de Commande : 123456',
    );
    expect(matchRule(matches('numéro'), message).matched).toBe(true);
    expect(matchRule(matches('numéro', true), message).matched).toBe(false);
    expect(matchRule(matches('Num[éè]ro\\S*', true), message).matched).toBe(true);
  });

  test('a range that folding would turn round is taken as typed', () => {
    expect(ruleProblems(matches('x[z-é]'))).toEqual([]);
    expect(matchRule(matches('rendez\u00a0vous'), facts({ text: 'Rendez vous' })).matched).toBe(true);
  });

  test('line breaks can be asked for', () => {
    const message = facts({ text: 'Bonjour\r\n\r\nCommande 12\r\n' });
    expect(matchRule(matches('(?m)^commande \\d+$'), message).matched).toBe(true);
    expect(matchRule(matches('^commande'), message).matched).toBe(false);
  });

  test('a hostile expression on a hostile megabyte ends within seconds', () => {
    const text = 'ab'.repeat(500_000);
    const started = performance.now();
    for (const value of ['(a+)+$', '(a|ab)*c', '(.*a){150}z', '(?:(?:a?b?){10}){20}c']) {
      expect(ruleProblems(matches(value))).toEqual([]);
      expect(matchRule(matches(value), facts({ text })).matched).toBe(false);
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('what is wrong with a rule is said', () => {
  const deep = (levels: number): RuleFilter => (levels === 0 ? contains('subject', 'x') : { not: deep(levels - 1) });
  test.each<[string, unknown, RegExp]>([
    ['an unknown field', { field: 'body', operator: 'contains', value: 'x' }, /known field instead of "body"/],
    ['an attribute without a name', { field: 'client.', operator: 'contains', value: 'x' }, /known field/],
    ['an unknown operator', { field: 'subject', operator: 'like', value: 'x' }, /known operator/],
    ['a value that is no text', { field: 'subject', operator: 'contains', value: 3 }, /text as its value/],
    ['an empty value', contains('subject', ' \u200b'), /empty text/],
    ['a long value', contains('subject', 'x'.repeat(1001)), /1000 characters/],
    ['an odd exact', { ...contains('subject', 'x'), exact: 'yes' }, /true or false/],
    ['an attachment that is neither', { field: 'hasAttachment', operator: 'equals', value: 'yes' }, /true or false/],
    ['a broken expression', matches('(abc'), /Correct the expression of content: missing closing \): `\(abc`/],
    ['a back-reference', matches('(a)\\1'), /Correct the expression/],
    ['an expression for everything', matches('a*'), /in every message/],
    ['a slow expression', matches('(.{1000})'.repeat(100)), /too slow/],
    ['an empty group', { all: [] }, /group "all"/],
    ['a group that is no list', { any: {} }, /group "any"/],
    ['two kinds at once', { all: [contains('subject', 'x')], field: 'subject' }, /exactly one/],
    ['no rule at all', null, /condition or a group/],
    ['a list', [], /condition or a group/],
    ['too deep a nest', deep(9), /8 deep/],
    ['too many conditions', { any: Array.from({ length: 101 }, () => contains('subject', 'x')) }, /at most 100/],
  ])('%s', (_, rule, sentence) => {
    expect(ruleProblems(rule).join(' ')).toMatch(sentence);
    if (rule !== null) expect(matchRule(rule as RuleFilter, facts({ subject: 'x' })).matched).toBe(false);
  });

  test('the examples and the limits themselves are fine', () => {
    const hundred = { any: Array.from({ length: 100 }, () => contains('subject', 'x')) };
    for (const rule of [RENDEZ_VOUS, SUPPORT, deep(8), hundred]) expect(ruleProblems(rule)).toEqual([]);
  });

  test('any JSON is judged, never thrown at', () => {
    fc.assert(fc.property(fc.jsonValue(), (json) => Array.isArray(ruleProblems(json))));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (value, exact) => {
        ruleProblems({ field: 'subject', operator: 'matches', value, exact });
        matchRule({ field: 'content', operator: 'contains', value, exact }, facts({ text: `a ${value} b` }));
      }),
    );
  });
});

test('a value taken from the message is found in it, however it is spelled there', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string(), fc.boolean(), (value, around, exact) => {
      const rule = contains('content', value, exact);
      fc.pre(ruleProblems(rule).length === 0);
      const text = `${around} ${value} ${around}`;
      const found = matchRule(rule, facts({ text }));
      expect(found.matched).toBe(true);
      expect(text).toContain(found.evidence[0]!.words);
    }),
  );
});

test('a rule reads like a sentence', () => {
  expect(describeRule(RENDEZ_VOUS)).toBe('subject contains "RDV" OR content contains "rendez-vous"');
  expect(describeRule({ all: [RENDEZ_VOUS, { not: SUPPORT }, { not: matches('é"', true) }] })).toBe(
    '(subject contains "RDV" OR content contains "rendez-vous") AND ' +
      'NOT (sender.address equals "support@client.com" AND content contains "problème") AND ' +
      'NOT content matches "é\\"" (exact)',
  );
  expect(describeRule({ any: [{ all: [contains('client.tier', 'gold')] }] })).toBe('client.tier contains "gold"');
});

test('five hundred past messages of three thousand characters are tried within five seconds on a busy machine', () => {
  const text = 'Bonjour, je voudrais un devis pour la livraison de huit palettes à Besançon. '.repeat(40);
  const rule: RuleFilter = {
    any: [contains('content', 'rendez-vous'), matches('commande\\s+n[°o]?\\s*\\d{4,10}'), SUPPORT],
  };
  const messages = Array.from({ length: 500 }, (_, n) => facts({ text: `${text}${n}`, newText: text }));
  const started = performance.now();
  expect(messages.filter((message) => matchRule(rule, message).matched)).toEqual([]);
  expect(performance.now() - started).toBeLessThan(5000);
});

test('a rule is compiled once: it is a value, and changing it in place changes nothing', () => {
  const rule = { field: 'subject', operator: 'contains', value: 'commande' } satisfies RuleFilter;
  expect(matchRule(rule, facts()).matched).toBe(true);
  rule.value = 'facture';
  expect(matchRule(rule, facts()).matched).toBe(true);
  expect(matchRule({ ...rule }, facts()).matched).toBe(false);
});
