// Does a folder's rule match a message, and by which words? A rule is a value: to change one, make
// a new object, because the compiled form is kept with it while hundreds of past messages are tried.
import type { MessageFacts } from './message-facts.ts';
import type { RuleCondition, RuleEvidence, RuleFilter, RuleMatch } from './rule.ts';
import { compileCondition, type MessageReader, readMessage } from './rule-condition.ts';
import { ruleProblems } from './rule-problems.ts';

export type { RuleCondition, RuleEvidence, RuleField, RuleFilter, RuleMatch, RuleOperator } from './rule.ts';
export { ruleProblems };

const EVIDENCE_MAXIMUM = 20;

/** A rule with problems (see `ruleProblems`) matches nothing, so that NOT of a broken part does not match all. */
export function matchRule(rule: RuleFilter, message: MessageFacts): RuleMatch {
  let test = compiled.get(rule);
  if (!test) {
    test = ruleProblems(rule).length === 0 ? compile(rule) : () => null;
    compiled.set(rule, test);
  }
  const evidence = test(readMessage(message));
  return { matched: evidence !== null, evidence: evidence ? unique(evidence).slice(0, EVIDENCE_MAXIMUM) : [] };
}

/** One English line: `subject contains "RDV" OR content contains "rendez-vous"`. */
export function describeRule(rule: RuleFilter): string {
  if ('all' in rule) return describeGroup(rule.all, ' AND ');
  if ('any' in rule) return describeGroup(rule.any, ' OR ');
  if ('not' in rule) return `NOT ${inParentheses(rule.not)}`;
  const words = OPERATOR_WORDS[rule.operator];
  return `${rule.field} ${words} ${JSON.stringify(rule.value)}${rule.exact ? ' (exact)' : ''}`;
}

type Test = (read: MessageReader) => RuleEvidence[] | null;

const compiled = new WeakMap<RuleFilter, Test>();

const OPERATOR_WORDS: Record<RuleCondition['operator'], string> = {
  contains: 'contains',
  equals: 'equals',
  startsWith: 'starts with',
  matches: 'matches',
};

function compile(rule: RuleFilter): Test {
  if ('all' in rule) {
    const tests = rule.all.map(compile);
    return (read) => {
      const evidence: RuleEvidence[] = [];
      for (const test of tests) {
        const found = test(read);
        if (!found) return null;
        evidence.push(...found);
      }
      return evidence;
    };
  }
  if ('any' in rule) {
    const tests = rule.any.map(compile);
    // All that match are shown, not only the first: an agent wants to know how sure a rule was.
    return (read) => {
      const found = tests.map((test) => test(read)).filter((evidence) => evidence !== null);
      return found.length > 0 ? found.flat() : null;
    };
  }
  if ('not' in rule) {
    const test = compile(rule.not);
    return (read) => (test(read) ? null : []);
  }
  const test = compileCondition(rule);
  return (read) => {
    const evidence = test(read);
    return evidence && [evidence];
  };
}

function unique(evidence: RuleEvidence[]): RuleEvidence[] {
  return [...new Map(evidence.map((item) => [`${item.field}\n${item.words}`, item])).values()];
}

function describeGroup(rules: RuleFilter[], word: string): string {
  return rules.length === 1 ? describeRule(rules[0]!) : rules.map(inParentheses).join(word);
}

function inParentheses(rule: RuleFilter): string {
  const group = 'all' in rule ? rule.all : 'any' in rule ? rule.any : [];
  return group.length > 1 ? `(${describeRule(rule)})` : describeRule(rule);
}
