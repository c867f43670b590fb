// E-mail addresses as Relais compares them. Lower case throughout: RFC 5321 2.4 lets a server tell "Camille" from
// "camille", but no provider met does, and a client must not exist twice because of it.

const ADDRESS_CHARACTERS = 254; // RFC 3696 erratum 1690
const INPUT_CHARACTERS = 1000;

/**
 * @param address as typed or as a header has it: `camille@client.com`, `<camille@client.com>`, `Camille <c@client.com>`
 * @returns the address in lower case, or null when it is none. Punycode stays as it is; a line break is refused,
 *   because an address ends up in a header.
 */
export function normaliseAddress(address: string): string | null {
  if (address.length > INPUT_CHARACTERS) return null;
  const bracketed = /<([^<>]*)>\s*$/.exec(address);
  const bare = (bracketed ? bracketed[1]! : address).trim().normalize('NFC').toLowerCase().normalize('NFC');
  const at = bare.lastIndexOf('@');
  const local = bare.slice(0, Math.max(at, 0));
  const domain = bare.slice(at + 1).replace(/\.$/, '');
  if (!isLocalPart(local) || !isDomain(domain)) return null;
  const whole = `${local}@${domain}`;
  return whole.length <= ADDRESS_CHARACTERS ? whole : null;
}

/** `client.com` of `camille@client.com`; null when it is no address. */
export function domainOf(address: string): string | null {
  const whole = normaliseAddress(address);
  return whole?.slice(whole.lastIndexOf('@') + 1) ?? null;
}

/** The sender says in the address itself that nobody reads answers (`no-reply@`, `ne-pas-repondre+42@`). */
export function isNoReply(address: string): boolean {
  return NO_REPLY.test(localPartOf(address));
}

/** A mail server speaks, not a person. `MAILER-DAEMON` may come without a domain. */
export function isMailSystem(address: string): boolean {
  return MAIL_SYSTEM.test(localPartOf(address));
}

/** @param pattern an address (`news@shop.test`) or a domain with its subdomains (`shop.test`, `@shop.test`) */
export function matchesSenderPattern(pattern: string, address: string): boolean {
  const sender = normaliseAddress(address);
  if (!sender) return false;
  const wanted = pattern.trim().toLowerCase().normalize('NFC');
  if (wanted.indexOf('@') > 0) return normaliseAddress(wanted) === sender;
  const domain = wanted.replace(/^@/, '');
  const senderDomain = sender.slice(sender.lastIndexOf('@') + 1);
  // "com" alone would stand for half of the world.
  return domain !== '' && (senderDomain === domain || (domain.includes('.') && senderDomain.endsWith(`.${domain}`)));
}

const NO_REPLY =
  /(^|[._+-])(no[._-]?repl(y|ies)|do[._-]?not[._-]?reply|ne[._-]?pas[._-]?repondre|pas[._-]?de[._-]?reponse|no[._-]?responder|no[._-]?responda|nicht[._-]?antworten|keine[._-]?antwort|non[._-]?rispondere)($|[._+-]|\d)/;
const MAIL_SYSTEM = /^(mailer-?daemon|mail-?daemon|mail[._-]delivery[._-](sub)?system|post[_-]?master)($|[._+-])/;

function localPartOf(address: string): string {
  const whole = normaliseAddress(address) ?? address.slice(0, ADDRESS_CHARACTERS).trim().toLowerCase();
  const at = whole.lastIndexOf('@');
  return (at < 0 ? whole : whole.slice(0, at)).normalize('NFD').replace(/\p{M}/gu, '');
}

function isLocalPart(local: string): boolean {
  // A quoted local part (RFC 5321 4.1.2) may hold nearly anything, even an @.
  if (/^"[^"\\\p{Cc}\p{Zl}\p{Zp}]+"$/u.test(local)) return true;
  return /^[^\s@"(),:;<>[\]\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+$/u.test(local);
}

function isDomain(domain: string): boolean {
  if (/^\[[0-9a-z.:]+\]$/.test(domain)) return true;
  return domain
    .split('.')
    .every((label) => /^[\p{L}\p{N}\p{M}_](?:[\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}_])?$/u.test(label));
}
