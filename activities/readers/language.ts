// Which language a message is written in, told from the text alone, without a model.
const LANGUAGES = ['fr', 'en', 'de', 'es', 'it', 'nl', 'pt'];
const SHORTEST_TEXT = 12;
const ENOUGH_TEXT = 1_000;

// Its tables take a third of a second to load: a worker that starts after a crash takes up its work first.
let detector: Promise<(text: string) => string> | undefined;

/** @returns a two-letter code, or null when the text is too short to tell */
export async function detectLanguage(text: string): Promise<string | null> {
  const sample = text.slice(0, ENOUGH_TEXT).trim();
  if (sample.length < SHORTEST_TEXT) return null;
  const detect = await prepareLanguageDetection();
  return detect(sample) || null;
}

/** Loads the tables ahead of the first message. */
export function prepareLanguageDetection(): Promise<(text: string) => string> {
  detector ??= load();
  return detector;
}

async function load(): Promise<(text: string) => string> {
  const { eld } = await import('eld/small');
  eld.setLanguageSubset(LANGUAGES);
  return (text) => eld.detect(text).language;
}
