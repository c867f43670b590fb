// One condition of a rule, compiled once: the words to look for folded, the expression translated for re2js.
// Expressions run in linear time (no backtracking): back-references and look-around do not exist.
import { RE2JS } from 're2js';
import { domainOf } from './email-address.ts';
import { type FoldedText, foldText, originalWords } from './folded-text.ts';
import type { MessageFacts } from './message-facts.ts';
import { READ_CHARACTERS, type RuleCondition, type RuleEvidence, type RuleField } from './rule.ts';

/** Reads a message's fields for the conditions of one rule, folding each text once however many conditions ask. */
export type MessageReader = (field: RuleField, exact: boolean, forExpression: boolean) => FoldedText[];

/** @returns the deciding words, or null when the condition does not hold. */
export type ConditionTest = (read: MessageReader) => RuleEvidence | null;

export function readMessage(message: MessageFacts): MessageReader {
  const seen = new Map<string, FoldedText[]>();
  return (field, exact, forExpression) => {
    const key = `${exact ? 1 : 0}${forExpression ? 1 : 0}${field}`;
    let texts = seen.get(key);
    if (!texts) {
      const limit = forExpression ? READ_CHARACTERS.expression : READ_CHARACTERS.words;
      texts = fieldValues(message, field).map((value) =>
        foldText(value.slice(0, limit), { exact, lines: forExpression }),
      );
      seen.set(key, texts);
    }
    return texts;
  };
}

/** @throws RE2JSException when the value of `matches` is not an expression re2js knows. */
export function compileCondition(condition: RuleCondition): ConditionTest {
  const { field, value } = condition;
  const exact = condition.exact === true;
  const expression = condition.operator === 'matches';
  const find = expression ? expressionFinder(value, exact) : wordFinder(condition, exact);
  return (read) => {
    for (const text of read(field, exact, expression)) {
      const hit = find(text.text);
      if (hit) return { field, words: originalWords(text, hit[0], hit[1]) };
    }
    return null;
  };
}

/** Case and accents are folded away in the pattern as in the text, unless `exact`. */
export function compileExpression(value: string, exact: boolean): RE2JS {
  const pattern = RE2JS.translateRegExp(value.normalize('NFC'));
  const flags = exact ? 0 : RE2JS.CASE_INSENSITIVE;
  try {
    return RE2JS.compile(foldPattern(pattern, exact), flags);
  } catch {
    // [z-é] is a range, [z-e] is not: such a pattern is taken as it was typed.
    return RE2JS.compile(pattern, flags);
  }
}

/** What is left of a value when it is compared: '' would be found in every message. */
export function foldValue(value: string, exact: boolean): string {
  return foldText(value, { exact, lines: false }).text;
}

type Finder = (text: string) => [from: number, to: number] | null;

function wordFinder({ operator, value, field }: RuleCondition, exact: boolean): Finder {
  const wanted = foldValue(value, exact);
  const whole = operator === 'equals' || field === 'hasAttachment';
  return (text) => {
    if (wanted === '') return null;
    if (whole) return text === wanted ? [0, text.length] : null;
    if (operator === 'startsWith') return text.startsWith(wanted) ? [0, wanted.length] : null;
    const at = text.indexOf(wanted);
    return at < 0 ? null : [at, at + wanted.length];
  };
}

function expressionFinder(value: string, exact: boolean): Finder {
  const expression = compileExpression(value, exact);
  return (text) => {
    const matcher = expression.matcher(text);
    return matcher.find() ? [matcher.start(), matcher.end()] : null;
  };
}

/** Only what lies outside ASCII changes, so that `\S`, `\pL` and group names keep their meaning. */
function foldPattern(pattern: string, exact: boolean): string {
  return pattern.replace(/[^\p{ASCII}]+/gu, (letters) => {
    // Between two letters, because folding trims: a non-breaking space must stay a space.
    return foldText(`x${letters}x`, { exact, lines: false }).text.slice(1, -1);
  });
}

function fieldValues(message: MessageFacts, field: RuleField): string[] {
  const { sender } = message;
  switch (field) {
    case 'sender.address':
      return present(sender.address ?? sender.phone);
    case 'sender.name':
      return present(sender.name);
    case 'sender.domain':
      return present(sender.address && domainOf(sender.address));
    case 'recipient':
      return message.recipients;
    case 'subject':
      return [message.subject];
    case 'content':
      return message.newText === message.text ? [message.text] : [message.newText, message.text];
    case 'channel':
      return [message.channel];
    case 'language':
      return present(message.language);
    case 'hasAttachment':
      return [String(message.hasAttachment)];
    default: {
      const attribute = field.slice('client.'.length);
      return Object.hasOwn(message.client, attribute) ? present(message.client[attribute]) : [];
    }
  }
}

function present(value: string | null | undefined): string[] {
  return value ? [value] : [];
}
