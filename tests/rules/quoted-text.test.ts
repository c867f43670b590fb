import { describe, expect, test } from '@jest/globals';
import EmailReplyParser from 'email-reply-parser';
import fc from 'fast-check';
import { splitReply } from '../../domain/rules/quoted-text.ts';
import { fixturePaths, readFixture } from './fixture-mail.ts';

const lines = (...all: string[]) => all.join('\n');
const filledLines = (text: string) => text.split(/\r\n|\r|\n/).filter((line) => line.trim() !== '');

describe('replies of real programs', () => {
  const KNOWN: Record<string, { newText: string; signature?: string }> = {
    'replies/iphone.eml': { newText: 'Hello', signature: 'Sent from my iPhone' },
    'replies/sparrow.eml': {
      newText: 'Hello',
      signature: lines('-- ', 'xxx', 'Sent with Sparrow (http://www.sparrowmailapp.com/?sig)'),
    },
  };
  test.each(fixturePaths('replies').filter((path) => !path.includes('share-block')))('%s says Hello', async (path) => {
    const { text } = await readFixture(path);
    const split = splitReply(text);
    const { newText, signature = '' } = KNOWN[path] ?? { newText: 'Hello' };
    expect(split.newText.trim()).toBe(newText);
    expect(split.signature).toBe(signature);
    expect(split.quotedText).toMatch(/Hi|Loop/);
  });

  test('a quotation that shares its block with the reply begins at its header', async () => {
    const { newText, quotedText } = splitReply((await readFixture('replies/reply-quotations-share-block.eml')).text);
    expect(newText).toMatch(/^Hi Katharine[\s\S]*Joe XXX$/);
    expect(quotedText).toMatch(/^--- On Wed, 4\/4\/12, xxx@example.com[\s\S]*New Booking Inquiry$/);
  });

  test('what is new agrees with email-reply-parser, which knows these programs', async () => {
    for (const path of fixturePaths('replies')) {
      // It misses the Russian header of this one.
      if (path.includes('android')) continue;
      const { text } = await readFixture(path);
      const theirs = new EmailReplyParser().parseReply(text).replace(/\s+/g, ' ').trim();
      expect([path, splitReply(text).newText.replace(/\s+/g, ' ').trim()]).toEqual([path, theirs]);
    }
  });
});

describe('quotations are introduced in the languages of clients', () => {
  const QUOTED = '\n\n> Votre colis est parti.\n> Maya';
  test.each([
    'Le mar. 3 mai 2016 à 10:12, Maya (acme) <support@acme.test> a écrit :',
    'Le 03/05/2016 à 10:12, Maya a écrit :',
    'Le mar. 3 mai 2016 à 10:12, Maya (acme) <\nsupport@acme.test> a écrit :',
    'On Tue, May 3, 2016 at 10:12 AM, Maya <support@acme.test> wrote:',
    'On 3 May 2016, at 10:12, Maya <support@acme.test>\nwrote:',
    'Am Di., 3. Mai 2016 um 10:12 Uhr schrieb Maya <support@acme.test>:',
    'Maya <support@acme.test> schrieb am Di., 3. Mai 2016, 10:12:',
    'El mar, 3 may 2016 a las 10:12, Maya (<support@acme.test>) escribió:',
    'Il giorno mar 3 mag 2016 alle ore 10:12 Maya <support@acme.test> ha scritto:',
    'Op di 3 mei 2016 om 10:12 schreef Maya <support@acme.test>:',
    '2016-05-03 10:12 GMT+02:00 Maya <support@acme.test>:',
    '2016-05-03 10:12 GMT+02:00 Maya <\nsupport@acme.test>:',
    'Am 03.05.2016 10:12 schrieb "Maya" <support@acme.test\n>:',
    'Maya <support@acme.test> schrieb am Di., 3.\nMai 2016 um 10:12 Uhr:',
    'At 5/3/2016 10:12 AM, you wrote:',
    'On Tue, May 3, 2016 at 10:12 AM, Maya <support@acme.test>wrote:',
    '2016/5/3 Maya <support@acme.test>',
    '---- Maya a écrit ----',
    'Maya <support@acme.test> a écrit :',
    '---- On Tue, 03 May 2016 10:12:36 +0200 Maya <support@acme.test> wrote ----',
    'ти 3. toukokuuta 2016 klo 10.12 Maya\n<support@acme.test> kirjoitti:',
  ])('%s', (header) => {
    const { newText, quotedText } = splitReply(`Merci, bien reçu.\n\n${header}${QUOTED}`);
    expect(newText).toBe('Merci, bien reçu.');
    expect(quotedText).toBe(`${header}${QUOTED}`);
  });

  test.each([
    lines('De : Maya <support@acme.test>', 'Envoyé : mardi 3 mai 2016 10:12', 'À : Camille', 'Objet : Votre colis'),
    lines(
      '________________________________',
      'De : Maya <support@acme.test>',
      'Envoyé : mardi',
      'À : Camille',
      'Objet : Colis',
    ),
    lines('From: Maya <support@acme.test>', 'Sent: Tuesday', 'To: Camille', 'Subject: Your parcel'),
    lines('Von: Maya <support@acme.test>', 'Gesendet: Dienstag', 'An: Camille', 'Betreff: Ihr Paket'),
    lines('De: Maya <support@acme.test>', 'Enviado el: martes', 'Para: Camille', 'Asunto: Su paquete'),
    lines('*De :* Maya <support@acme.test>', '*Envoyé :* mardi', '*Objet :* Colis'),
    '-----Message d’origine-----\nDe : Maya',
    '---------- Forwarded message ---------',
    '----- Mail original -----',
    '##- Please type your reply above this line -##',
    'Maya <support@acme.test> hat am 03.05.2016 10:12 CET geschrieben:',
    lines('Message du 03/05/16 10:12', 'De : "Maya" <support@acme.test>', 'A : camille@client.com', 'Objet : Colis'),
    '-----Ursprüngliche Nachricht-----',
    '-------- Mensaje original --------',
    '*-------- Message original --------*',
    lines('-----------------', '', '*From:* Maya <support@acme.test>', '*Sent:* Tuesday', '*Subject:* Parcel'),
    'Début du message réexpédié :',
    'Le mar. 3 mai 2016 à 10:12, Maya <support@acme.test> a écrit :',
  ])('without marks, all that follows is quoted: %s', (header) => {
    const quoted = `${header}\n\nVotre colis est parti.\n\nCordialement,\nMaya`;
    expect(splitReply(`Merci !\n\n${quoted}`)).toEqual({ newText: 'Merci !', quotedText: quoted, signature: '' });
  });

  test.each([
    lines('Bonjour, un devis pour ce transport ?', 'De : Paris', 'À : Lyon', 'Date : 12 mai'),
    lines('Bonjour,', 'Le 12 mai votre collègue m’a écrit :', '« Le colis arrive demain »', 'Il n’est jamais venu.'),
    lines('Hello,', 'On the phone at 9 Tom wrote:', 'nothing, he said.'),
    lines('Bonjour,', 'Maya <maya@acme.test> a écrit :', '« Le colis arrive demain »', 'Il n’est jamais venu.'),
    lines('J’ai écrit le 3 mai 2016 à 10:12 à Maya <maya@acme.test> :', 'Où est mon colis ?', 'Toujours rien.'),
    lines(
      'Voici mes articles',
      '---',
      'Une table',
      '---',
      'Deux chaises',
      ...Array.from({ length: 16 }, (_, n) => `Article ${n}`),
    ),
    lines('Deux articles', '--', 'Une table', '--', 'Deux chaises'),
    lines('Voici la photo', '--', 'Avez-vous la même en bleu ?'),
    lines('Cheers', 'is the name of the bar where I lost the bag, can you ask them?'),
  ])('what only looks like a quotation stays new: %s', (text) => {
    expect(splitReply(text)).toEqual({ newText: text, quotedText: '', signature: '' });
  });

  test('what stands above the name of who is quoted is no part of it', () => {
    const quoted = lines('Maya <support@acme.test> a écrit :', '> Votre colis est parti.');
    expect(splitReply(`Merci\n${quoted}`)).toEqual({ newText: 'Merci', quotedText: quoted, signature: '' });
  });

  test.each([
    'Mes réponses ci-dessous.',
    'Voici nos remarques en rouge :',
    'Je réponds dans votre mail',
    'See my answers below',
    'Replied inline.',
    'Antworten stehen unten im Text.',
    'Mis respuestas en rojo',
  ])('answers that stand in the unmarked older mail are not folded away with it: %s', (announced) => {
    const answered = lines(
      'De : Maya <support@acme.test>',
      'Envoyé : mardi',
      'Objet : Colis',
      '',
      'Quelle couleur ?',
      'Bleu',
    );
    const text = `${announced}\n\n${answered}`;
    expect(splitReply(text)).toEqual({ newText: text, quotedText: '', signature: '' });
    expect(splitReply(`Merci.\n\n${answered}`).newText).toBe('Merci.');
  });

  test('in a letter that answers nothing, only what is announced is quoted', () => {
    const order = lines('Je voudrais :', '> deux lampes', '> une table', 'Merci de me dire le prix.');
    expect(splitReply(order, true)).toEqual({ newText: order, quotedText: '', signature: '' });
    expect(splitReply(order).newText).toBe(lines('Je voudrais :', 'Merci de me dire le prix.'));
    for (const quoted of [
      lines('Le 3 mai 2016 à 10:12, Maya a écrit :', '> Votre colis est parti.'),
      lines('> Le 3 mai 2016 à 10:12, Maya a écrit :', '>', '> Votre colis est parti.'),
      lines(
        '> Message du 03/05/16 10:12',
        '> De : "Maya" <support@acme.test>',
        '> A : camille@client.com',
        '> Objet : x',
      ),
      lines('>> Où est mon colis ?', '> Il est parti.'),
    ])
      expect(splitReply(`Merci !\n\n${quoted}`, true)).toEqual({
        newText: 'Merci !',
        quotedText: quoted,
        signature: '',
      });
  });

  test('answers between the quoted lines, and below them, are new', () => {
    const text = lines('> Quelle couleur ?', 'Bleu.', '', '> Combien ?', '>', '', '> Merci', 'Deux.');
    expect(splitReply(text)).toEqual({
      newText: lines('Bleu.', '', 'Deux.'),
      quotedText: lines('> Quelle couleur ?', '> Combien ?', '>', '', '> Merci'),
      signature: '',
    });
  });
});

describe('signatures', () => {
  test.each([
    lines('-- ', 'Camille Noël', '06 12 34 56 78'),
    lines('Cordialement,', 'Camille'),
    lines('Bien à vous', '', 'Camille Noël', 'Client SA'),
    lines('Bonne journée !', 'Camille'),
    lines('Bien cdt', 'Camille'),
    lines('Cheers 🎉', 'Camille'),
    'Yahoo Mail : Recherchez, organisez, maîtrisez',
    lines('Best regards,', 'Camille'),
    lines('Mit freundlichen Grüßen', 'Camille'),
    lines('Un saludo,', 'Camille'),
    lines('Je vous prie d’agréer, Madame, mes salutations distinguées.', 'Camille'),
    'Envoyé de mon iPhone',
    'Envoyé à partir de Outlook pour Android',
    'Get Outlook for iOS<https://aka.ms/x>',
    'Von meinem iPhone gesendet',
    lines('Cordialement,', 'Camille', '-- ', 'Client SA', 'x'.repeat(300)),
  ])('%s', (signature) => {
    const quoted = '> Où en est-on ?';
    expect(splitReply(`Mon colis manque.\n\n${signature}\n\n${quoted}`)).toEqual({
      newText: 'Mon colis manque.',
      quotedText: quoted,
      signature,
    });
  });

  test('a sentence below the name, or that only begins like the mark of a device, is still read', () => {
    const called = 'Merci de me rappeler avant lundi au 06 01 02 03 04.';
    expect(splitReply(lines('Mon colis manque.', 'Cordialement,', 'Camille', '', called))).toEqual({
      newText: lines('Mon colis manque.', called),
      quotedText: '',
      signature: lines('Cordialement,', 'Camille'),
    });
    const unpunctuated = 'rappelez moi sur mon portable je suis là jusque 18h';
    expect(splitReply(lines('Mon colis manque', 'Cdt', 'Camille', unpunctuated)).newText).toBe(
      lines('Mon colis manque', unpunctuated),
    );
    const footer = 'Ce message est confidentiel et réservé à son destinataire.';
    expect(splitReply(lines('Mon colis manque.', 'Cordialement,', 'Camille', footer)).newText).toBe(
      'Mon colis manque.',
    );
    const below = lines('Voici la photo.', 'Envoyé de mon iPhone', 'Le colis porte le numéro 1042 et il est ouvert.');
    expect(splitReply(below).newText).toBe(lines('Voici la photo.', 'Le colis porte le numéro 1042 et il est ouvert.'));
    const desk = lines('Bonjour', 'Envoyé depuis mon bureau, je vous rappelle demain matin.');
    expect(splitReply(desk).newText).toBe(desk);
  });

  test('a question or a postscript below the sign-off is still read', () => {
    const asked = lines('Merci.', 'Cordialement', 'Au fait, avez-vous du bleu ?');
    expect(splitReply(asked).newText).toBe(asked);
    const { newText, signature } = splitReply(lines('Merci.', 'Cordialement,', 'Camille', '', 'PS : commande 1042'));
    expect([newText, signature]).toEqual([lines('Merci.', 'PS : commande 1042'), lines('Cordialement,', 'Camille')]);
  });
});

describe('nothing is lost', () => {
  test('where nothing would be new, all of it is', () => {
    for (const text of ['> Bonjour\n', 'Cordialement,\nCamille', '---- Original Message ----\r\nHi', '  \n']) {
      expect(splitReply(text)).toEqual({ newText: text, quotedText: '', signature: '' });
    }
  });

  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '',
      '> Bonjour',
      'Cordialement,',
      '-- ',
      'PS : oui',
      'Le 3 mai 2016 à 10:12, Maya <a@acme.test> a écrit :',
      'On 3 May',
      'wrote:',
      '-----Original Message-----',
      'De : Maya <a@acme.test>',
      'Objet : x',
      'Envoyé : lundi',
      '_____',
      'Sent from my x',
      "Le prix est de 5 $$ $' $&",
      'Camille',
    ),
  );
  test('every line that is not blank stands in exactly one part, in its order', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.constantFrom('\n', '\r\n'), (all, end) => {
        const text = all.join(end);
        const { newText, quotedText, signature } = splitReply(text);
        const parts = [newText, quotedText, signature].map(filledLines);
        expect(parts.flat().sort()).toEqual(filledLines(text).sort());
        for (const part of parts) expect(isInOrder(part, filledLines(text))).toBe(true);
        if (text.trim() !== '') expect(newText.trim()).not.toBe('');
      }),
      { numRuns: 1000 },
    );
  });

  const isInOrder = (part: string[], whole: string[]) => {
    let at = 0;
    for (const one of part) {
      at = whole.indexOf(one, at) + 1;
      if (at === 0) return false;
    }
    return true;
  };

  test('beyond two hundred thousand characters everything counts as quoted, and stays', () => {
    const text = `Bonjour\n${'a😀'.repeat(100_000)}\n> x\n${'b\n'.repeat(100_000)}`;
    const { newText, quotedText } = splitReply(text);
    expect(newText).toBe('Bonjour');
    expect(newText.length + 1 + quotedText.length).toBe(text.length);
    const one = 'a😀'.repeat(100_000);
    const split = splitReply(one);
    expect(split.newText + split.quotedText).toBe(one);
    expect(split.newText.isWellFormed()).toBe(true);
  });
});

test.each([
  '\n',
  'Op \n',
  'Op schreef\n',
  'On a ',
  '在写道\n',
  'From:< ',
  '\n1111from<',
  '> ',
  '-',
  ' ',
  '>\n\n',
  'De : a\n',
  '2016 <@:\n',
  '1<@',
  '-- \n',
  'Cordialement\n',
  'PS:\n',
  '__________\n',
  'On 3 wrote\n',
  '* : ',
  '>\na\n',
  `1${'@'.repeat(390)}2016:\n`,
  `On ${' '.repeat(200)}1:\n`,
])('a megabyte of %j takes less than two seconds', (piece) => {
  const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
  const started = performance.now();
  splitReply(text);
  expect(performance.now() - started).toBeLessThan(2000);
});

describe('in German and Spanish', () => {
  const WORDS = 'Das passt, danke.';

  test.each<[string, string]>([
    ['Gmail in German', 'Am Mo., 9. Nov. 2026 um 10:12 Uhr schrieb Support Acme <support@acme.test>:\n\n> Guten Tag'],
    [
      'Gmail in German, unmarked and wrapped',
      'Am Mo., 9. Nov. 2026 um 10:12 Uhr schrieb Support Acme <\nsupport@acme.test>:\n\nGuten Tag',
    ],
    ['Thunderbird in German', 'Am 09.11.26 um 10:12 schrieb Support Acme:\n> Guten Tag'],
    ['Apple Mail in German', '> Am 09.11.2026 um 10:12 schrieb Support Acme <support@acme.test>:\n> \n> Guten Tag'],
    [
      'an iPhone in German',
      'Von meinem iPhone gesendet\n\n> Am 09.11.2026 um 10:12 schrieb Support Acme <support@acme.test>:\n> \n> Guten Tag',
    ],
    [
      'Outlook in German',
      'Von: Support Acme <support@acme.test>\nGesendet: Montag, 9. November 2026 10:12\nAn: Heike Sommer <h@x.de>\nBetreff: Rechnung\n\nGuten Tag',
    ],
    [
      'an old Outlook in German',
      '-----Ursprüngliche Nachricht-----\nVon: Support [mailto:support@acme.test]\nGesendet: Montag\nAn: x\nBetreff: y\n\nGuten Tag',
    ],
    [
      'Outlook on a phone in German',
      'Outlook für iOS beziehen\n________________________________\nVon: Support Acme <support@acme.test>\nGesendet: Monday, November 9, 2026 10:12:00 AM\nAn: H <h@x.de>\nBetreff: Rechnung\n\nGuten Tag',
    ],
    ['the advertisement of Outlook in German', 'Holen Sie sich Outlook für Android<https://aka.ms/x>\n'],
    [
      'GMX, which begins with the date',
      'Gesendet: Montag, 09. November 2026 um 10:12 Uhr\nVon: "Support Acme" <support@acme.test>\nAn: h@gmx.de\nBetreff: Rechnung\n\nGuten Tag',
    ],
    [
      'the program of WEB.DE',
      '--\nDiese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.\n\nAm 09.11.26, 10:12 schrieb Support <support@acme.test>:\nGuten Tag',
    ],
    [
      'T-Online, which begins with the subject',
      '\n-----Original-Nachricht-----\nBetreff: Rechnung\nDatum: 2026-11-09T10:12:00+0100\nVon: "Support" <support@acme.test>\nAn: "h" <h@t-online.de>\n\nGuten Tag',
    ],
    [
      'Yahoo in German',
      '    Am Montag, 9. November 2026 um 10:12:13 MEZ hat Support Acme <support@acme.test> Folgendes geschrieben:  \n \n Guten Tag',
    ],
    ['Proton in German', 'Am Montag, 9. November 2026 um 10:12, Support <support@acme.test> schrieb:\n\n> Guten Tag'],
    [
      'Notes in German',
      'Von:        Support Acme <support@acme.test>\nAn:        h@x.de\nDatum:        09.11.2026 10:12\nBetreff:        Rechnung\n\nGuten Tag',
    ],
    ['a German signature', 'Mit freundlichen Grüßen\nHeike Sommer\n\nSommer GmbH\nTel. 0711 1234'],
    ['greetings from a town', 'Viele Grüße aus Ulm\nHeike'],
    ['greetings on behalf', 'Beste Grüße,\ni.A. Heike Sommer\nEinkauf'],
    ['LG with a name', 'LG Heike'],
    ['VG', 'VG\nHeike'],
    ['a stiff German end', 'Hochachtungsvoll\nHeike Sommer'],
    ['a hearty German end', 'Herzliche Grüße\nHeike'],
    [
      'a Samsung in German',
      'Von meinem Samsung Galaxy Smartphone gesendet.\n\n-------- Ursprüngliche Nachricht --------\nVon: Support <support@acme.test>\nDatum: 09.11.26 10:12 (GMT+01:00)\nAn: h@x.de\nBetreff: R\n\nGuten Tag',
    ],
    [
      'Gmail in Spanish, wrapped',
      'El lun, 9 nov 2026 a las 10:12, Support Acme (<support@acme.test>)\nescribió:\n\n> Hola',
    ],
    [
      'Gmail in Spanish, unmarked',
      'El lun, 9 nov 2026 a las 10:12, Support Acme (<support@acme.test>) escribió:\n\nHola',
    ],
    ['Thunderbird in Spanish', 'El 9/11/26 a las 10:12, Support Acme escribió:\n> Hola'],
    ['Apple Mail in Spanish', '> El 9 nov 2026, a las 10:12, Support Acme <support@acme.test> escribió:\n> \n> Hola'],
    [
      'an iPhone in Spanish',
      'Enviado desde mi iPhone\n\n> El 9 nov 2026, a las 10:12, Support Acme <support@acme.test> escribió:\n> Hola',
    ],
    [
      'Outlook in Spanish',
      'De: Support Acme <support@acme.test>\nEnviado: lunes, 9 de noviembre de 2026 10:12\nPara: Marta <m@x.es>\nAsunto: Factura\n\nHola',
    ],
    [
      'Outlook in Spanish with a copy',
      'De: Support Acme <support@acme.test>\nEnviado el: lunes, 9 de noviembre de 2026 10:12\nPara: Marta <m@x.es>\nCC: z@x.es\nAsunto: Factura\n\nHola',
    ],
    [
      'Outlook on a phone in Spanish',
      'Obtener Outlook para iOS<https://aka.ms/o0ukef>\n________________________________\nDe: Support <support@acme.test>\nEnviado: Monday, November 9, 2026 10:12:00 AM\nPara: M <m@x.es>\nAsunto: F\n\nHola',
    ],
    [
      'Yahoo in Spanish',
      '    En lunes, 9 de noviembre de 2026, 10:12:13 CET, Support Acme <support@acme.test> escribió:  \n \n Hola',
    ],
    [
      'a Samsung in Spanish',
      'Enviado desde mi smartphone Samsung Galaxy.\n\n-------- Mensaje original --------\nDe: Support <support@acme.test>\nFecha: 9/11/26 10:12 (GMT+01:00)\nA: m@x.es\nAsunto: F\n\nHola',
    ],
    [
      'a forward by Gmail in Spanish',
      '---------- Forwarded message ---------\nDe: Support <support@acme.test>\nDate: lun, 9 nov 2026 a las 10:12\nSubject: F\nTo: <m@x.es>\n\nHola',
    ],
    [
      'a forward by Thunderbird in Spanish',
      '-------- Mensaje reenviado --------\nAsunto: F\nFecha: Mon, 9 Nov 2026\nDe: S <support@acme.test>\nPara: m@x.es\n\nHola',
    ],
    [
      'a forward by Thunderbird in German',
      '-------- Weitergeleitete Nachricht --------\nBetreff: F\nDatum: Mon, 9 Nov 2026\nVon: S <support@acme.test>\nAn: m@x.es\n\nHola',
    ],
    ['a Spanish signature', 'Un saludo,\nMarta Gil\nTel. 600 000 000'],
    ['Spanish greetings', 'Saludos cordiales\nMarta'],
    ['a formal Spanish end', 'Reciba un cordial saludo,\nMarta'],
    ['thanks and greetings', 'Muchas gracias y un saludo\nMarta'],
    ['Atte.', 'Atte.\nMarta Gil'],
    ['an embrace', 'Un abrazo,\nMarta'],
  ])('what %s puts below the words is folded away, and lost nowhere', (_program, below) => {
    const { newText, quotedText, signature } = splitReply(`${WORDS}\n\n${below}`);
    expect(newText).toBe(WORDS);
    const kept = `${quotedText}\n${signature}`;
    for (const line of below.split('\n').filter((one) => one.trim() !== '')) expect(kept).toContain(line.trim());
  });

  test('a letter that only speaks of such things stays whole', () => {
    for (const text of [
      'Gesendet: drei Pakete\nVon: Ulm\nAn: Köln\nWann kommen sie an?',
      'Asunto: la factura\nFecha: ayer\n¿La pueden enviar otra vez?',
      'Ich habe am Montag schon geschrieben: keine Antwort!',
      'LG Fernseher kaputt, was tun?',
      'Un saludo de parte de Ana, ¿cuándo abren mañana por la tarde? Necesito la pieza',
    ])
      expect(splitReply(text).newText).toBe(text);
  });
});
