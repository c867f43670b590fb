// Tries a rule on past messages before it is saved: "this would have matched 14 of the last 500".
import type { EntityManager } from '@mikro-orm/postgresql';
import { matchRule, type RuleFilter } from '#domain/rules/rule-filter.ts';
import { messageFacts } from './folder-rules.ts';
import { Message } from './message.ts';

const TRIED = 500;
const EXAMPLES = 10;

export type RuleTrial = {
  matched: number;
  tried: number;
  examples: { conversationId: string; subject: string; sender: string | null; evidence: string[] }[];
};

export async function tryRule(em: EntityManager, rule: RuleFilter): Promise<RuleTrial> {
  const messages = await em.find(
    Message,
    { direction: 'inbound', kind: 'personal' },
    { orderBy: { createdAt: 'desc' }, limit: TRIED },
  );
  const trial: RuleTrial = { matched: 0, tried: messages.length, examples: [] };
  const facts = await messageFacts(em, messages);
  for (const [index, message] of messages.entries()) {
    const { matched, evidence } = matchRule(rule, facts[index]!);
    if (!matched) continue;
    trial.matched += 1;
    if (trial.examples.length < EXAMPLES) {
      trial.examples.push({
        conversationId: message.conversationId,
        subject: message.subject,
        sender: message.sender.name ?? message.sender.address,
        evidence: evidence.map((found) => found.words),
      });
    }
  }
  return trial;
}
