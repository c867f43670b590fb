import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Article, findArticles } from '#domain/knowledge/article.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import { createTenant, type TestDatabase, testDatabase } from '../support/database.ts';

let db: TestDatabase;
let acme: string;
let globex: string;

beforeAll(async () => {
  db = await testDatabase();
  acme = await createTenant(db.database, 'acme');
  globex = await createTenant(db.database, 'globex');
  await write(acme, 'fr', 'Où est ma commande ?', 'Bonjour, merci de votre message. Le colis part sous deux jours.');
  await write(acme, 'fr', 'Prendre rendez-vous à l’atelier', 'Bonjour, choisissez un créneau du mardi au samedi.');
  await write(acme, 'en', 'Where is my order?', 'Hello, your parcel leaves within two days.');
  await write(globex, 'fr', 'Où est ma commande ?', 'Chez Globex, tout se retire en magasin.');
});

afterAll(() => db?.close());

function write(tenantId: string, language: 'fr' | 'en', title: string, text: string): Promise<void> {
  return db.database.inTenant(tenantId, async (em) => {
    em.create(Article, { id: newId(), title, text, language });
  });
}

const titlesFor = (question: string) =>
  db.database.inTenant(acme, async (em) => (await findArticles(em, question)).map((article) => article.title));

describe('the articles for a question', () => {
  test('are found however long the question is', async () => {
    const short = 'Ma commande ?';
    const long = `Bonjour, j’ai commandé un coffret la semaine dernière pour l’anniversaire de ma sœur, qui habite
      Grenoble, et je n’ai toujours rien reçu ce matin. Pouvez-vous regarder où en est la commande #12345 ?
      Merci d’avance, Camille Martin`;
    expect(await titlesFor(short)).toEqual(['Où est ma commande ?']);
    expect(await titlesFor(long)).toEqual(['Où est ma commande ?']);
  });

  test('are found without accents, in another form of the word, and in the language of the article', async () => {
    expect(await titlesFor('je voudrais des RENDEZ-VOUS')).toEqual(['Prendre rendez-vous à l’atelier']);
    expect(await titlesFor('where are my orders')).toEqual(['Where is my order?']);
  });

  test('are none when only courtesies are shared', async () => {
    expect(await titlesFor('Bonjour, merci à vous, cordialement')).toEqual([]);
    expect(await titlesFor('Hello, thank you, à bientôt')).toEqual([]);
    expect(await titlesFor('')).toEqual([]);
  });

  test('are never those of another company', async () => {
    const texts = await db.database.inTenant(acme, async (em) =>
      (await findArticles(em, 'commande')).map((a) => a.text),
    );
    expect(texts).toHaveLength(1);
    expect(texts[0]).not.toContain('Globex');
  });
});
