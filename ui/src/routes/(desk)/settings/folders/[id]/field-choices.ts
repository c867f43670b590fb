import { CHANNELS, channelWord } from '#lib/words/channel.ts';
import { languageName } from '#lib/words/codes.ts';
import { capitalised } from '#lib/words/dates.ts';
import { m } from '#paraglide/messages.js';
import { getLocale } from '#paraglide/runtime.js';

const LANGUAGES = ['fr', 'en', 'de', 'es', 'it', 'nl', 'pt'];

/** Fields with few values are chosen, not typed, and compared as a whole. null: any text. */
export function choicesOf(field: string): { value: string; label: string }[] | null {
  switch (field) {
    case 'channel':
      return CHANNELS.map((channel) => ({ value: channel, label: channelWord(channel) }));
    case 'language':
      return LANGUAGES.map((code) => ({ value: code, label: capitalised(languageName(code, getLocale())) }));
    case 'hasAttachment':
      return [
        { value: 'true', label: m.present() },
        { value: 'false', label: m.absent() },
      ];
    default:
      return null;
  }
}
