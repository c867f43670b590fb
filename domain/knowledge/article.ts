// What the company knows: articles an answer may draw on, found again by French and English words.
import { defineEntity, p } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { tenantOwned } from '#domain/tenancy/tenant-owned.ts';

const ArticleSchema = defineEntity({
  name: 'Article',
  properties: {
    ...tenantOwned,
    title: p.string().length(300),
    text: p.text(),
    language: p.enum(['fr', 'en'] as const),
    updatedAt: instantOfChange(),
  },
  indexes: [{ properties: ['tenantId'] }],
});

export class Article extends ArticleSchema.class {}
ArticleSchema.setClass(Article);

function instantOfChange() {
  return p
    .datetime()
    .columnType('timestamptz(3)')
    .onCreate(() => new Date())
    .onUpdate(() => new Date());
}

export type FoundArticle = { id: string; title: string; text: string; score: number };

/** Under this rank an article shares a word or two with the question and nothing more. */
const LEAST_SCORE = 0.02;

/**
 * The articles that match a question best, best first. Words are stemmed in French and in English and any of them may
 * match; a word in the title counts four times as much as one in the text.
 *
 * @param question plain text; its first 2,000 characters are used
 */
export async function findArticles(em: EntityManager, question: string, limit = 3): Promise<FoundArticle[]> {
  const words = question.slice(0, 2000);
  const rows = await em.execute<FoundArticle[]>(
    `with question as (
       select ${anyWordQuery('relais_french')} || ${anyWordQuery('relais_english')} as query
     )
     select id, title, text, ts_rank(search, query, 1) as score
       from article, question
      where search @@ query
      order by score desc, id
      limit ?`,
    [words, words, limit],
  );
  return rows.filter((row) => row.score >= LEAST_SCORE);
}

// plainto_tsquery joins words by AND; a question is matched by any of its words.
function anyWordQuery(configuration: string): string {
  return `coalesce(nullif(replace(plainto_tsquery('${configuration}', ?)::text, '&', '|'), ''), '')::tsquery`;
}
