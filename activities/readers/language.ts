// Which language a message is written in, told from the text alone, without a model.
import { eld } from 'eld/small';

eld.setLanguageSubset(['fr', 'en', 'de', 'es', 'it', 'nl', 'pt']);

const SHORTEST_TEXT = 12;
const ENOUGH_TEXT = 1_000;

/** @returns a two-letter code, or null when the text is too short to tell */
export function detectLanguage(text: string): string | null {
  const sample = text.slice(0, ENOUGH_TEXT).trim();
  if (sample.length < SHORTEST_TEXT) return null;
  return eld.detect(sample).language || null;
}
