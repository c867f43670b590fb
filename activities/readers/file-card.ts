// Reads invitations (RFC 5545, RFC 5546) and business cards (RFC 6350 and its forerunners) into what a card in the thread
// shows. Rules of repetition are never run: one line of them can name more days than there will be.
import ICAL from 'ical.js';
import { Temporal } from 'temporal-polyfill';
import { findIana } from 'windows-iana';
import type { ContactCard, FileCard, InvitationCard, InvitationMethod } from '#domain/rules/file-card.ts';
import { shortened, storable } from '#domain/rules/stored-text.ts';
import type { IncomingAttachment } from './incoming-message.ts';

const LARGEST_BYTES = 300_000;
const LONGEST_WORDS = 300;
const MOST_OF_A_KIND = 5;

type Property = [name: string, parameters: Record<string, string | string[]>, type: string, ...values: unknown[]];
type Component = [name: string, properties: Property[], components: Component[]];

/** @returns null for what is neither, or cannot be read: then it is a file like any other */
export function readCard({ name, type, content }: IncomingAttachment): FileCard | null {
  const isInvitation = /^(text\/calendar|application\/ics)$/i.test(type) || /\.ics$/i.test(name);
  const isContact = /^text\/(x-)?vcard$/i.test(type) || /\.vcf$/i.test(name);
  if ((!isInvitation && !isContact) || content.length > LARGEST_BYTES) return null;
  try {
    const text = storable(new TextDecoder().decode(content));
    return isInvitation ? invitationOf(parse(text)) : contactOf(parse(withNamedTypes(text)));
  } catch {
    return null;
  }
}

/** The first one, where there are several. */
function parse(text: string): Component {
  const parsed = ICAL.parse(text) as Component | Component[];
  return typeof parsed[0] === 'string' ? (parsed as Component) : (parsed as Component[])[0]!;
}

function invitationOf(calendar: Component): InvitationCard | null {
  const event = calendar[2].find(([name]) => name === 'vevent');
  const start = event && momentOf(find(event, 'dtstart'));
  if (!event || !start) return null;
  const organiser = find(event, 'organizer');
  const method = METHODS[words(find(calendar, 'method'))?.toUpperCase() ?? ''] ?? 'other';
  return {
    kind: 'invitation',
    method: words(find(event, 'status'))?.toUpperCase() === 'CANCELLED' ? 'cancel' : method,
    title: words(find(event, 'summary')) ?? '',
    start,
    end: momentOf(find(event, 'dtend')),
    place: words(find(event, 'location')),
    organiser: clean(organiser?.[1].cn) ?? words(organiser)?.replace(/^mailto:/i, '') ?? null,
    repeats: find(event, 'rrule') !== undefined,
  };
}

const METHODS: Record<string, InvitationMethod> = { REQUEST: 'request', CANCEL: 'cancel', REPLY: 'reply' };

function momentOf(property: Property | undefined): string | null {
  const given = property?.[3];
  if (!property || typeof given !== 'string') return null;
  if (property[2] === 'date') return Temporal.PlainDate.from(given).toString();
  if (given.endsWith('Z')) return Temporal.Instant.from(given).toString();
  const local = Temporal.PlainDateTime.from(given);
  const zone = zoneOf(property[1].tzid);
  return zone ? local.toZonedDateTime(zone).toInstant().toString() : local.toString();
}

/** By its name alone: what the mail says of the zone is a rule of repetition again. */
function zoneOf(given: string | string[] | undefined): string | null {
  if (typeof given !== 'string') return null;
  const name = findIana(given)[0] ?? given;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return null;
  }
}

function contactOf(card: Component): ContactCard | null {
  const of = (name: string) => card[1].filter((property) => property[0] === name);
  const all = (name: string) =>
    [...new Set(of(name).map((one) => words(one)?.replace(/^(tel|mailto):/i, '') ?? null))]
      .filter((value) => value !== null)
      .slice(0, MOST_OF_A_KIND);
  const [phones, emails] = [all('tel'), all('email')];
  const organisation = words(find(card, 'org'));
  const name = words(find(card, 'fn')) ?? words(find(card, 'n')) ?? organisation ?? emails[0] ?? phones[0];
  return name ? { kind: 'contact', name, organisation, phones, emails } : null;
}

// `TEL;CELL:…` of version 2.1 is `TEL;TYPE=CELL:…` since.
function withNamedTypes(text: string): string {
  return text.replace(/^[\w.-]+(;[^:\r\n"]*)?:/gm, (head) => head.replace(/;([\w-]+)(?=[;:])/g, ';TYPE=$1'));
}

function find(component: Component, name: string): Property | undefined {
  return component[1].find((property) => property[0] === name);
}

function words(property: Property | undefined): string | null {
  if (!property) return null;
  const value = [property[3]].flat().filter((part) => typeof part === 'string' && part !== '');
  const text = value.join(' ');
  return clean(property[1].encoding === 'QUOTED-PRINTABLE' ? unquoted(text) : text);
}

function unquoted(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('%', '%25').replace(/=([0-9A-F]{2})/gi, '%$1'));
  } catch {
    return text;
  }
}

/** One line without characters that turn its direction or hide. */
function clean(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line === '' ? null : shortened(line, LONGEST_WORDS);
}
