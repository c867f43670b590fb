// A rule as the editor holds it: "not" is a mark on a group or a condition, and every node has a key of its own, so
// that what is moved or removed stays itself. Wraps the domain's rules, the only place where the screens meet them.
import { RULE_FIELDS, RULE_OPERATORS, type RuleCondition, type RuleFilter } from '../../../domain/rules/rule.ts';
import { ruleProblems } from '../../../domain/rules/rule-problems.ts';

export { RULE_FIELDS, RULE_OPERATORS };

type Operator = RuleCondition['operator'];
type Joiner = 'all' | 'any';

let keys = 0;

export class ConditionNode {
  readonly key = ++keys;
  isNot = $state(false);
  field = $state('subject');
  operator = $state<Operator>('contains');
  value = $state('');
  exact = $state(false);

  static of({ field, operator, value, exact }: RuleCondition): ConditionNode {
    return Object.assign(new ConditionNode(), { field, operator, value, exact: exact === true });
  }

  get rule(): RuleFilter {
    const { operator, value } = this;
    const field = this.field as RuleCondition['field'];
    return marked(this, { field, operator, value, ...(this.exact ? { exact: true } : {}) });
  }
}

export class GroupNode {
  readonly key = ++keys;
  isNot = $state(false);
  joiner = $state<Joiner>('any');
  parts = $state<RuleNode[]>([]);

  /** A group with one condition to begin with. */
  static empty(joiner: Joiner = 'any'): GroupNode {
    return GroupNode.of(joiner, [new ConditionNode()]);
  }

  static of(joiner: Joiner, parts: RuleNode[]): GroupNode {
    return Object.assign(new GroupNode(), { joiner, parts });
  }

  get rule(): RuleFilter {
    const rules = this.parts.map((part) => part.rule);
    // One condition alone needs no group around it.
    if (rules.length === 1) return marked(this, rules[0]!);
    return marked(this, this.joiner === 'all' ? { all: rules } : { any: rules });
  }

  remove(part: RuleNode): void {
    this.parts = this.parts.filter(({ key }) => key !== part.key);
  }
}

export type RuleNode = GroupNode | ConditionNode;

/** The root of the editor is always a group, whatever the rule was. */
export function treeOf(rule: unknown): GroupNode {
  const node = nodeOf(rule as RuleFilter);
  return node instanceof GroupNode ? node : GroupNode.of('any', [node]);
}

/** What is to be changed before the rule can be kept, as the domain says it. */
export function problemsOf(node: RuleNode): string[] {
  return ruleProblems(node.rule);
}

function nodeOf(rule: RuleFilter): RuleNode {
  if ('all' in rule) return GroupNode.of('all', rule.all.map(nodeOf));
  if ('any' in rule) return GroupNode.of('any', rule.any.map(nodeOf));
  if (!('not' in rule)) return ConditionNode.of(rule);
  const inner = nodeOf(rule.not);
  // Not of not: the inner one keeps its mark within a group of its own.
  const node = inner.isNot ? GroupNode.of('all', [inner]) : inner;
  node.isNot = true;
  return node;
}

function marked({ isNot }: { isNot: boolean }, rule: RuleFilter): RuleFilter {
  return isNot ? { not: rule } : rule;
}
