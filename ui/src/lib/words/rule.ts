// The words of rules: fields and operators as an admin would say them.
import { m } from '#paraglide/messages.js';

const FIELDS: Record<string, () => string> = {
  'sender.address': m.field_sender_address,
  'sender.name': m.field_sender_name,
  'sender.domain': m.field_sender_domain,
  recipient: m.field_recipient,
  subject: m.field_subject,
  content: m.field_content,
  channel: m.field_channel,
  language: m.field_language,
  hasAttachment: m.field_has_attachment,
};

/** @returns null for a word that is no field of a rule */
export function fieldWord(field: string): string | null {
  if (field.startsWith('client.')) return m.field_client({ attribute: field.slice('client.'.length) });
  return FIELDS[field]?.() ?? null;
}

export function operatorWord(operator: string, isNot = false): string {
  const words: Record<string, [is: () => string, isNot: () => string]> = {
    contains: [m.operator_contains, m.operator_not_contains],
    equals: [m.operator_equals, m.operator_not_equals],
    startsWith: [m.operator_starts_with, m.operator_not_starts_with],
    matches: [m.operator_matches, m.operator_not_matches],
  };
  return words[operator]?.[isNot ? 1 : 0]() ?? operator;
}

const JOINERS: Record<string, () => string> = { AND: m.rule_and, OR: m.rule_or, NOT: m.rule_not };
const OPERATORS: Record<string, string> = { 'starts with': 'startsWith' };

/**
 * The domain's one English line about a rule (`subject contains "RDV" OR NOT content matches "x"`), in the reader's
 * language. What stands in quotes stays as it was typed.
 */
export function conditionInWords(line: string): string {
  return line.replace(
    /"(?:[^"\\]|\\.)*"|\b(AND|OR|NOT)\b|\b(contains|equals|starts with|matches)\b|\(exact\)|[a-z][\w.]*/gi,
    (found, joiner?: string, operator?: string) => {
      if (found.startsWith('"')) return m.quoted({ words: JSON.parse(found) });
      if (joiner) return JOINERS[joiner]?.() ?? found;
      if (operator) return operatorWord(OPERATORS[operator] ?? operator);
      return found === '(exact)' ? m.rule_exact_short() : (fieldWord(found) ?? found);
    },
  );
}

type Found = Record<string, string>;

const PROBLEMS: [RegExp, (found: Found) => string][] = [
  [/^Use at most (?<most>\d+) conditions/, ({ most }) => m.rule_too_many({ most: most! })],
  [/^Shorten the expressions/, () => m.rule_too_slow()],
  [/^Nest groups at most (?<most>\d+)/, ({ most }) => m.rule_too_deep({ most: most! })],
  [/^Put at least one condition/, () => m.rule_empty_group()],
  [/^Give (?<field>\S+) a value/, ({ field }) => m.rule_no_value({ field: fieldWord(field!) ?? field! })],
  [
    /^Shorten the value of (?<field>\S+) to (?<most>\d+)/,
    ({ field, most }) => m.rule_long_value({ field: fieldWord(field!) ?? field!, most: most! }),
  ],
  [
    /^Change the expression of (?<field>\S+):/,
    ({ field }) => m.rule_matches_all({ field: fieldWord(field!) ?? field! }),
  ],
  [
    /^Correct the expression of (?<field>\S+): (?<cause>.*)\.$/,
    ({ field, cause }) => m.rule_bad_expression({ field: fieldWord(field!) ?? field!, cause: cause! }),
  ],
  [/^Choose a known field/, () => m.rule_unknown_field()],
];

/** The domain's sentence about what is wrong with a rule, in the reader's language. */
export function ruleProblem(sentence: string): string {
  for (const [pattern, say] of PROBLEMS) {
    const found = pattern.exec(sentence);
    if (found) return say(found.groups ?? {});
  }
  return sentence;
}
