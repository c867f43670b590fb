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

/** Less than one word in common with the title, or four with the text. */
const LEAST_SCORE = 0.1;
/** Stems that every message has and no article is about. */
const PLEASANTRIES = "'bonjour', 'salut', 'merc', 'cordial', 'hello', 'hi', 'dear', 'thank', 'regard'";

/**
 * The articles that match a question best, best first. Words are stemmed by the language of the article, any of them
 * may match, and a word in the title counts five times as much as one in the text. The rank PostgreSQL gives is shared
 * among the words of the question; taken times their number, a long question finds what a short one finds.
 *
 * @param question plain text; its first 2,000 characters are used
 */
export async function findArticles(em: EntityManager, question: string, limit = 3): Promise<FoundArticle[]> {
  const words = question.slice(0, 2000);
  const rows = await em.execute<FoundArticle[]>(
    `with question as (
       select 'fr' as language, ${lexemes('relais_french')} as words
       union all
       select 'en', ${lexemes('relais_english')}
     ), asked as (
       select language, cardinality(words) as size,
              (select string_agg(quote_literal(word), '|') from unnest(words) as word)::tsquery as query
         from question
     )
     select id, title, text, ts_rank(search, query, 1) * size as score
       from article join asked using (language)
      where search @@ query
      order by score desc, id
      limit ?`,
    [words, words, limit],
  );
  return rows.filter((row) => row.score >= LEAST_SCORE);
}

// A single letter is what is left of "à" or "l’" without their accent or apostrophe.
function lexemes(configuration: string): string {
  return `array(select lexeme from unnest(to_tsvector('${configuration}', ?))
                 where length(lexeme) > 1 and lexeme not in (${PLEASANTRIES}))`;
}
