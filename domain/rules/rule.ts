// The words of a folder's rule and their limits; rule-filter.ts runs them.

export type RuleField =
  | 'sender.address'
  | 'sender.name'
  | 'sender.domain'
  | 'recipient'
  | 'subject'
  | 'content'
  | 'channel'
  | 'language'
  | 'hasAttachment'
  | `client.${string}`;

export type RuleOperator = 'contains' | 'equals' | 'startsWith' | 'matches';

/** `exact`: case and accents count. */
export type RuleCondition = { field: RuleField; operator: RuleOperator; value: string; exact?: boolean };

export type RuleFilter = { all: RuleFilter[] } | { any: RuleFilter[] } | { not: RuleFilter } | RuleCondition;

/** The words as they stand in the message (original case and accents), at most 80 characters. */
export type RuleEvidence = { field: RuleField; words: string };

/** `evidence`: which words of the message decided. Empty when nothing matched, or when only a NOT decided. */
export type RuleMatch = { matched: boolean; evidence: RuleEvidence[] };

export const RULE_FIELDS = [
  'sender.address',
  'sender.name',
  'sender.domain',
  'recipient',
  'subject',
  'content',
  'channel',
  'language',
  'hasAttachment',
] as const satisfies RuleField[];

export const RULE_OPERATORS = ['contains', 'equals', 'startsWith', 'matches'] as const satisfies RuleOperator[];

export const RULE_LIMITS = {
  /** Groups within groups. */
  depth: 8,
  conditions: 100,
  valueCharacters: 1000,
  /**
   * re2js needs time in proportion to text times program: `(.{1000})` a hundred times over is one short line and
   * five minutes of work. Steps of all expressions of a rule together; `commande\s+n[°o]?\s*\d{4,10}` has 33.
   */
  expressionSteps: 1000,
};

/** How much of a field a rule reads. A message may hold megabytes; a sentence that sorts it stands near its top. */
export const READ_CHARACTERS = { words: 200_000, expression: 50_000 };
