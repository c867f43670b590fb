import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCard } from '#activities/readers/file-card.ts';

const read = (name: string, type: string, lines: readonly string[] | string) =>
  readCard({ name, type, content: Buffer.from([lines].flat().join('\r\n')), contentId: null, inline: false });

const calendar = (method: string, ...event: string[]) => [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  `METHOD:${method}`,
  'BEGIN:VEVENT',
  ...event,
  'END:VEVENT',
  'END:VCALENDAR',
];
const invitation = (...event: string[]) => read('invitation.ics', 'text/calendar', calendar('REQUEST', ...event));
const contact = (version: string, ...lines: string[]) =>
  read('contact.vcf', 'text/vcard', ['BEGIN:VCARD', `VERSION:${version}`, ...lines, 'END:VCARD']);

describe('an invitation', () => {
  test('says what, when, where, and who invites', () => {
    const card = invitation(
      'DTSTART;TZID=Europe/Paris:20261201T100000',
      'DTEND;TZID=Europe/Paris:20261201T113000',
      'SUMMARY:Visite du chantier\\, hall 2',
      'LOCATION:12 rue des Lilas',
      'ORGANIZER;CN="Camille Martin":mailto:camille@example.com',
      'RRULE:FREQ=SECONDLY',
    );
    expect(card).toEqual({
      kind: 'invitation',
      method: 'request',
      title: 'Visite du chantier, hall 2',
      start: '2026-12-01T09:00:00Z',
      end: '2026-12-01T10:30:00Z',
      place: '12 rue des Lilas',
      organiser: 'Camille Martin',
      repeats: true,
    });
  });

  test.each([
    ['in UTC', 'DTSTART:20261201T100000Z', '2026-12-01T10:00:00Z'],
    ['in a zone as Outlook names it', 'DTSTART;TZID=Romance Standard Time:20260701T100000', '2026-07-01T08:00:00Z'],
    [
      'in a zone nobody knows, by the clock of whoever reads',
      'DTSTART;TZID=Mars:20261201T100000',
      '2026-12-01T10:00:00',
    ],
    ['on a whole day', 'DTSTART;VALUE=DATE:20261201', '2026-12-01'],
  ])('%s tells when', (_name, line, start) => {
    expect(invitation(line)).toMatchObject({ start });
  });

  test.each([
    ['CANCEL', 'cancel'],
    ['REPLY', 'reply'],
    ['PUBLISH', 'other'],
  ])('with method %s says so', (method, said) => {
    const card = read('a.ics', 'text/calendar', calendar(method, 'DTSTART:20261201T100000Z'));
    expect(card).toMatchObject({ method: said });
  });

  test('that is cancelled is not taken for one that stands', () => {
    expect(invitation('DTSTART:20261201T100000Z', 'STATUS:CANCELLED')).toMatchObject({ method: 'cancel' });
  });
});

describe('a business card', () => {
  test.each([
    ['2.1', ['N:Martin;Camille', 'FN;ENCODING=QUOTED-PRINTABLE:Ren=C3=A9e', 'TEL;CELL:+33612345678'], 'Renée'],
    ['3.0', ['FN:Camille', 'TEL;TYPE=CELL:+33612345678', 'TEL;TYPE=HOME:+33612345678'], 'Camille'],
    ['4.0', ['FN:Camille', 'TEL;VALUE=uri:tel:+33612345678'], 'Camille'],
  ])('of version %s says who, and how to reach them', (version, lines, name) => {
    expect(contact(version, ...lines, 'EMAIL:camille@example.com', 'ORG:Acme;Ventes')).toEqual({
      kind: 'contact',
      name,
      organisation: 'Acme Ventes',
      phones: ['+33612345678'],
      emails: ['camille@example.com'],
    });
  });
});

describe('what somebody made to do harm', () => {
  test('is a file like any other when it cannot be read, or is far too large', () => {
    expect(read('a.ics', 'text/calendar', 'BEGIN:VCALENDAR\r\nBEGIN:VEVENT')).toBeNull();
    expect(read('a.ics', 'text/calendar', calendar('REQUEST', 'DTSTART:99999999T999999Z'))).toBeNull();
    expect(contact('3.0', `NOTE:${'a'.repeat(400_000)}`, 'FN:Camille')).toBeNull();
    expect(read('note.txt', 'text/plain', calendar('REQUEST', 'DTSTART:20261201T100000Z'))).toBeNull();
  });

  test('is shown short, on one line, in its direction', () => {
    const card = invitation('DTSTART:20261201T100000Z', `SUMMARY:\u202Eeno\\n${'a'.repeat(10_000)}`);
    expect(card).toMatchObject({ title: expect.stringMatching(/^eno a{296}$/) });
  });

  test('never stops the reading of its message', () => {
    const whole = calendar('REQUEST', 'DTSTART;TZID=Europe/Paris:20261201T100000', 'SUMMARY:Visite').join('\r\n');
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(40), fc.string({ maxLength: 40 }), (at, cut, noise) => {
        const card = read('a.ics', 'text/calendar', whole.slice(0, at) + noise + whole.slice(at + cut));
        expect(card === null || card.kind === 'invitation').toBe(true);
      }),
    );
  });
});
