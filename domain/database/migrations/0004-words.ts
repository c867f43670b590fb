// French and English words without their accents, and the search vector of the knowledge articles: a word in the title
// weighs more than one in the text.
import { Migration } from '@mikro-orm/migrations';

export class Words extends Migration {
  override up(): void {
    this.addSql(`
      create extension if not exists unaccent;
      create extension if not exists pg_trgm;

      create text search configuration relais_french (copy = french);
      alter text search configuration relais_french
        alter mapping for hword, hword_part, word with unaccent, french_stem;

      create text search configuration relais_english (copy = english);
      alter text search configuration relais_english
        alter mapping for hword, hword_part, word with unaccent, english_stem;

      alter table article add column search tsvector generated always as (
        setweight(to_tsvector('relais_french', title), 'A') || setweight(to_tsvector('relais_english', title), 'A') ||
        setweight(to_tsvector('relais_french', text), 'C') || setweight(to_tsvector('relais_english', text), 'C')
      ) stored;
    `);
  }
}
