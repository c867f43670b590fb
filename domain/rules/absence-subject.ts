// Subjects of absence replies, for automated-mail.ts. The words alone prove nothing ("Absence du bureau de poste"):
// at the very beginning, followed by a colon or the end, mail programs write them; elsewhere another sign is needed.
import { foldText } from './folded-text.ts';

const ABSENCE =
  /(reponse automatique|message (automatique )?d'absence|reponse d'absence|notification d'absence|absence du bureau|absente? du bureau|automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office( auto-?reply)?|vacation reply|away from (the )?office|automatische antwort|abwesenheits(notiz|nachricht|assistent)|respuesta automatica|fuera de la oficina|risposta automatica|automatisch antwoord|afwezigheidsbericht|resposta automatica)/;
const AT_BEGINNING = new RegExp(`^[["(]?${ABSENCE.source}[\\])"]?\\s?($|[:;,(-]|re ?:|re-)`);

/** What people write at the beginning too, but not before the subject of the mail they answer. */
const BEFORE_OURS =
  /^[["(]?(absente?|absence|en conges?|conges|en vacances|vacances|ooo|on (vacation|holiday|leave)|abwesend|abwesenheit|im urlaub|urlaub|nicht im buro|ausente|ausencia|de vacaciones|vacaciones)[\])"]? ?(: ?|- ?|re ?: ?)\S/;

/** @param answers the mail names a parent (In-Reply-To), as automatic answers do */
export function isAbsenceBeforeOurs(subject: string, answers: boolean): boolean {
  return answers && BEFORE_OURS.test(foldText(subject.slice(0, 500), { exact: false, lines: false }).text);
}

/** Where the words stand in the subject; null when they do not. */
export function absenceSubject(subject: string): 'beginning' | 'inside' | null {
  const words = foldText(subject.slice(0, 500), { exact: false, lines: false }).text;
  if (AT_BEGINNING.test(words)) return 'beginning';
  return ABSENCE.test(words) ? 'inside' : null;
}
