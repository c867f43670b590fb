// Is this a rule? Asked before one is stored, and again before one is run: what is not a rule matches nothing.

import { RULE_FIELDS, RULE_LIMITS, RULE_OPERATORS, type RuleCondition } from './rule.ts';
import { compileExpression, foldValue } from './rule-condition.ts';

/**
 * @param rule anything, such as the JSON of a request
 * @returns [] when it is a valid rule; else sentences saying what to change, at most one for each condition
 */
export function ruleProblems(rule: unknown): string[] {
  const tally: Tally = { problems: [], conditions: 0, steps: 0 };
  examine(rule, 0, tally);
  if (tally.conditions > RULE_LIMITS.conditions) {
    tally.problems.push(`Use at most ${RULE_LIMITS.conditions} conditions: divide this rule between folders.`);
  }
  if (tally.steps > RULE_LIMITS.expressionSteps) {
    tally.problems.push('Shorten the expressions: their repetitions make this rule too slow.');
  }
  return tally.problems;
}

type Tally = { problems: string[]; conditions: number; steps: number };

function examine(rule: unknown, depth: number, tally: Tally): void {
  // A hostile list of a million conditions is not read to its end.
  if (tally.conditions > RULE_LIMITS.conditions) return;
  if (typeof rule !== 'object' || rule === null || Array.isArray(rule)) {
    tally.conditions++;
    tally.problems.push('Make each part of the rule a condition or a group (all, any, not).');
    return;
  }
  const kinds = ['all', 'any', 'not', 'field'].filter((kind) => Object.hasOwn(rule, kind));
  if (kinds.length !== 1) {
    tally.conditions++;
    tally.problems.push('Give each part of the rule exactly one of: all, any, not, field.');
    return;
  }
  const kind = kinds[0]!;
  if (kind === 'field') {
    tally.conditions++;
    const problem = conditionProblem(rule as Record<string, unknown>, tally);
    if (problem) tally.problems.push(problem);
    return;
  }
  if (depth >= RULE_LIMITS.depth) {
    tally.conditions++;
    tally.problems.push(`Nest groups at most ${RULE_LIMITS.depth} deep.`);
    return;
  }
  const parts = (rule as Record<string, unknown>)[kind];
  if (kind === 'not') examine(parts, depth + 1, tally);
  else if (!Array.isArray(parts) || parts.length === 0) {
    tally.conditions++;
    tally.problems.push(`Put at least one condition into the group "${kind}", or remove the group.`);
  } else {
    for (const part of parts) {
      if (tally.conditions > RULE_LIMITS.conditions) break;
      examine(part, depth + 1, tally);
    }
  }
}

function conditionProblem(condition: Record<string, unknown>, tally: Tally): string | null {
  const { field, operator, value, exact } = condition;
  if (typeof field !== 'string' || !isField(field)) {
    return `Choose a known field instead of ${quote(field)}: ${RULE_FIELDS.join(', ')} or client.<attribute>.`;
  }
  if (!(RULE_OPERATORS as readonly unknown[]).includes(operator)) {
    return `Choose a known operator for ${field}: ${RULE_OPERATORS.join(', ')}.`;
  }
  if (exact !== undefined && typeof exact !== 'boolean') return `Set exact of ${field} to true or false.`;
  if (typeof value !== 'string') return `Give ${field} a text as its value.`;
  if (value.length > RULE_LIMITS.valueCharacters) {
    return `Shorten the value of ${field} to ${RULE_LIMITS.valueCharacters} characters.`;
  }
  if (foldValue(value, exact === true) === '') return `Give ${field} a value: empty text is found everywhere.`;
  if (operator === 'matches') return expressionProblem(condition as RuleCondition, tally);
  if (field === 'hasAttachment' && value !== 'true' && value !== 'false') {
    return 'Compare hasAttachment with true or false.';
  }
  return null;
}

function expressionProblem({ field, value, exact }: RuleCondition, tally: Tally): string | null {
  try {
    const expression = compileExpression(value, exact === true);
    tally.steps += expression.programSize();
    if (expression.matcher('').find()) {
      return `Change the expression of ${field}: it is found in the empty text, so in every message.`;
    }
    return null;
  } catch (error) {
    const cause = error instanceof Error ? error.message.replace(/^error parsing regexp: |\(\?i\)/g, '') : 'unknown';
    return `Correct the expression of ${field}: ${cause}.`;
  }
}

function isField(field: string): boolean {
  return (RULE_FIELDS as readonly string[]).includes(field) || /^client\.\S/.test(field);
}

function quote(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 50)}"` : typeof value;
}
