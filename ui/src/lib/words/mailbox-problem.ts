// What is wrong with a mailbox, and what to change: from the code of a trial, or from the sentence a channel keeps.
import { m } from '#paraglide/messages.js';

type Words = { problem: string; remedy: string };

export function mailboxProblem(code: string, host: string): Words {
  const words: Record<string, () => Words> = {
    'mailbox-refused-credentials': () => ({
      problem: m.mailbox_credentials({ host }),
      remedy: m.mailbox_credentials_do(),
    }),
    'mailbox-certificate': () => ({ problem: m.mailbox_certificate({ host }), remedy: m.mailbox_certificate_do() }),
    'mailbox-wrong-security': () => ({ problem: m.mailbox_security({ host }), remedy: m.mailbox_security_do() }),
    'mailbox-unknown-host': () => ({ problem: m.mailbox_unknown_host({ host }), remedy: m.mailbox_unknown_host_do() }),
    'mailbox-unreachable': () => ({ problem: m.mailbox_unreachable({ host }), remedy: m.mailbox_unreachable_do() }),
    'mailbox-consent-revoked': () => ({ problem: m.consent_revoked({ host }), remedy: m.consent_revoked_do() }),
    'oauth-denied': () => ({ problem: m.consent_denied({ host }), remedy: m.consent_denied_do() }),
    'oauth-scope-missing': () => ({ problem: m.consent_without_mail({ host }), remedy: m.consent_without_mail_do() }),
    'oauth-other-account': () => ({ problem: m.consent_other({ host }), remedy: m.consent_other_do() }),
    'oauth-client-refused': () => ({ problem: m.consent_client({ host }), remedy: m.consent_client_do({ host }) }),
    'oauth-unreachable': () => ({ problem: m.consent_away({ host }), remedy: m.consent_away_do() }),
    'mailbox-folder-missing': () => ({ problem: m.mailbox_folder({ host }), remedy: m.mailbox_folder_do() }),
  };
  return words[code]?.() ?? { problem: `${host}: ${code.replaceAll('-', ' ')}`, remedy: '' };
}

const SENTENCES: [RegExp, string][] = [
  [/^(\S+) refused the user name/, 'mailbox-refused-credentials'],
  [/^The certificate of (\S+)/, 'mailbox-certificate'],
  [/^(\S+) does not offer that kind of encryption/, 'mailbox-wrong-security'],
  [/^There is no server named (\S+)\.$/, 'mailbox-unknown-host'],
  [/^(\S+) could not be reached/, 'mailbox-unreachable'],
  [/^(\S+) has no such folder/, 'mailbox-folder-missing'],
  [/^(\S+) no longer lets this mailbox be opened/, 'mailbox-consent-revoked'],
  [/^(\S+) refused this installation/, 'oauth-client-refused'],
  [/^(\S+) gives no access for now/, 'oauth-unreachable'],
];

/** A channel keeps its last error as a sentence; those that are known are said in the reader's language. */
export function channelError(sentence: string): Words {
  for (const [pattern, code] of SENTENCES) {
    const host = pattern.exec(sentence)?.[1];
    if (host) return mailboxProblem(code, host);
  }
  return { problem: sentence, remedy: '' };
}
