import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCustom } from '#activities/readers/custom.ts';
import { readEmail } from '#activities/readers/email.ts';
import { textOfHtml } from '#activities/readers/html-text.ts';
import { type IncomingMessage, Unreadable } from '#activities/readers/incoming-message.ts';
import { sanitiseMailHtml } from '#activities/readers/mail-html.ts';
import { splitReply } from '#domain/rules/quoted-text.ts';
import { fixturePaths } from '../rules/fixture-mail.ts';

const FIXTURES = path.join(import.meta.dirname, '../fixtures/mail');
const RECEIVED = new Date('2026-11-20T10:00:00Z');
const LONG = process.env.TEST_SIZE === 'long';

const read = (mail: string | Buffer, truncated = false) =>
  readEmail(typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail, RECEIVED, truncated);

/** A letter of Camille's; headers given replace the usual ones, and text is one byte a character. */
function letter(headers: Record<string, string>, body: string): Buffer {
  const all = {
    From: 'Camille Martin <camille@client.com>',
    To: 'support@acme.test',
    Subject: 'Ma commande',
    Date: 'Fri, 20 Nov 2026 10:30:00 +0100',
    'Message-ID': '<1042@client.com>',
    ...headers,
  };
  const head = Object.entries(all).filter(([, value]) => value !== '');
  return Buffer.from(`${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`, 'latin1');
}

function multipart(kind: string, ...parts: string[]): [Record<string, string>, string] {
  return [
    { 'Content-Type': `multipart/${kind}; boundary=b` },
    `${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`,
  ];
}

describe('every mail of the collection', () => {
  test.each(fixturePaths())('%s reads as a good mail program shows it', async (file) => {
    const raw = readFileSync(path.join(FIXTURES, file));
    const message = await readEmail(raw, RECEIVED);
    expect(summaryOf(message)).toMatchSnapshot();
    expectStorable(message);
    const again = await readEmail(anotherHop(raw), RECEIVED);
    expect(again.digest).toBe(message.digest);
  });

  test.each([
    ['gmail', 'Thanks,\nAlex'],
    ['ms_outlook_2007', 'Thanks,\n\nAlex'],
    ['ms_outlook_2010', 'Thanks,\n\nAlex'],
    ['thunderbird', 'Thanks,\nAlex'],
    ['yandex_ru', 'Thanks,\nAlex'],
  ])('the HTML of a reply written with %s keeps the quoted mail apart', (program, end) => {
    const html = readFileSync(path.join(FIXTURES, `replies/html/${program}.html`), 'utf8');
    const { newText, quotedText } = splitReply(textOfHtml(html));
    expect(newText).toMatch(/^Hi\. I am fine\./);
    expect(newText.endsWith(end)).toBe(true);
    expect(quotedText).toMatch(/Hello! How are you\?/);
  });
});

describe('the words of a mail', () => {
  test.each([
    ['nothing is declared, and it is Latin-1', '', 'D\xe9j\xe0 vu', 'Déjà vu'],
    ['nothing is declared, and it is UTF-8', '', 'D\xc3\xa9j\xc3\xa0 vu', 'Déjà vu'],
    ['UTF-8 is declared, and it is Latin-1', 'text/plain; charset=utf-8', '\xe9t\xe9', 'été'],
    ['Latin-1 is declared, and it is UTF-8', 'text/plain; charset=iso-8859-1', '\xc3\xa9t\xc3\xa9', 'été'],
    [
      'Latin-1 is declared with the euro of Windows',
      'text/plain; charset="ISO-8859-1"',
      '10 \x80 \x93net\x94',
      '10 € “net”',
    ],
    ['the charset has a name nobody knows', 'text/plain; charset=x-klingon', '\xe9t\xe9', 'été'],
    ['Latin-9 is declared', 'text/plain; charset=iso-8859-15', '10 \xa4', '10 €'],
    ['it is Cyrillic', 'text/plain; charset=koi8-r', '\xf0\xd2\xc9\xd7\xc5\xd4', 'Привет'],
    ['it claims UTF-7, which smuggles markup', 'text/plain; charset=utf-7', '+ADw-script+AD4-', '+ADw-script+AD4-'],
    ['Latin-9 is declared, and it is UTF-8', 'text/plain; charset=iso-8859-15', '\xc3\xa9t\xc3\xa9', 'été'],
    ['two Chinese characters look like UTF-8', 'text/plain; charset=gbk', '\xc1\xaa\xcd\xa8', '联通'],
    ['its type is none', 'text; charset=utf-8', '\xc3\xa9t\xc3\xa9', 'été'],
    ['no line between parts is there', 'multipart/mixed; boundary=b', 'Bonjour', 'Bonjour'],
    [
      'the line between parts is another one than the header says',
      'multipart/mixed; boundary="b"',
      '--other\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa9t\xc3\xa9\r\n--other--\r\n',
      'été',
    ],
    [
      'the header folds the line between parts',
      'multipart/mixed; boundary="a\r\n b"',
      '--a b\r\n\r\nBonjour\r\n--a b--\r\n',
      'Bonjour',
    ],
    ['a semicolon is missing', 'multipart/mixed\r\n boundary=b', '--b\r\n\r\nBonjour\r\n--b--\r\n', 'Bonjour'],
    ['it holds a NUL', '', 'a\0b', 'ab'],
  ])('are read when %s', async (_case, contentType, body, expected) => {
    expect((await read(letter({ 'Content-Type': contentType }, body))).text).toBe(expected);
  });

  test('come from the HTML when there is no plain text, or an empty one', async () => {
    const html = 'Content-Type: text/html; charset=utf-8\r\n\r\n<title>no</title><p>Je voudrais un <b>RDV</b></p>';
    const related = await read(letter(...multipart('related', html, 'Content-Type: image/png\r\n\r\nx')));
    const alternative = await read(letter(...multipart('alternative', 'Content-Type: text/plain\r\n\r\n \r\n', html)));
    expect([related.text, alternative.text]).toEqual(['Je voudrais un RDV', 'Je voudrais un RDV']);
  });

  test('are those of every part that is not an alternative, and the HTML shows them as well', async () => {
    const message = await read(
      letter(
        ...multipart(
          'mixed',
          'Content-Type: text/plain\r\n\r\nVoyez <ceci>',
          'Content-Type: text/html\r\n\r\n<p>et cela</p>',
        ),
      ),
    );
    expect(message.text).toBe('Voyez <ceci>\net cela');
    expect(message.html).toContain('Voyez &lt;ceci&gt;');
    expect(message.html).toContain('<p>et cela</p>');
  });

  test('do not hide behind a damaged disposition', async () => {
    const headers = { 'Content-Type': 'text/html', 'Content-Disposition': '=?utf-8?Q?invalid?=' };
    const message = await read(letter(headers, '<p>bonjour</p>'));
    expect(message).toMatchObject({ text: 'bonjour', attachments: [] });
  });
});

describe('the headers of a mail', () => {
  test.each([
    ['raw Latin-1', 'R\xe9clamation \x96 urgent', 'Réclamation – urgent'],
    ['raw UTF-8', 'R\xc3\xa9clamation', 'Réclamation'],
    ['encoded words over two lines', '=?utf-8?B?UsOpY2xh?=\r\n =?utf-8?Q?mation?=', 'Réclamation'],
    ['a character cut between two words', '=?utf-8?Q?R=C3?= =?utf-8?Q?=A9clamation?=', 'Réclamation'],
    ['raw bytes within an encoded word', '=?iso-8859-1?Q?R\xe9clamation?=', 'Réclamation'],
    ['a line break smuggled in', '=?utf-8?Q?a=0D=0ABcc:_x@y.z?=', 'a Bcc: x@y.z'],
  ])('give the subject of %s', async (_case, subject, expected) => {
    expect((await read(letter({ Subject: subject }, 'x'))).subject).toBe(expected);
  });

  test.each([
    ['white space before the colon', 'From : Camille <camille@client.com>', 'camille@client.com', 'Camille'],
    ['a name with a comma', 'From: "Martin, Camille" <camille@client.com>', 'camille@client.com', 'Martin, Camille'],
    ['a raw Latin-1 name', 'From: No\xebl <noel@client.com>', 'noel@client.com', 'Noël'],
    ['an unusable address', 'From: Camille <>\r\nSender: camille@client.com', 'camille@client.com', 'Camille'],
    ['several, of which one can be written to', 'From: Camille, <camille@client.com>', 'camille@client.com', null],
    ['a group', 'From: Clients: Camille <camille@client.com>;', 'camille@client.com', 'Camille'],
  ])('give the sender with %s', async (_case, line, address, name) => {
    const { sender } = await read(`${line}\r\nSubject: x\r\n\r\nx`);
    expect(sender).toMatchObject({ address, name });
  });

  test('name the client in Reply-To where a website writes for her', async () => {
    const message = await read(
      letter({ From: 'Site <no-reply@acme.test>', 'Reply-To': 'Camille <Camille@Client.com>' }, 'x'),
    );
    expect(message).toMatchObject({
      sender: { address: 'no-reply@acme.test' },
      contacts: [{ kind: 'email', value: 'camille@client.com' }],
      clientName: 'Camille',
    });
  });

  test.each([
    ['is missing', '', []],
    ['is nonsense', 'yesterday', ['Its date cannot be right: the time it was received stands instead.']],
    ['lies in the future', 'Fri, 20 Nov 2099 10:00:00 +0000', [expect.stringMatching(/date cannot be right/)]],
    ['is older than mail', 'Thu, 13 Feb 1969 23:32:54 -0330', [expect.stringMatching(/date cannot be right/)]],
  ])('leave the time of receipt where the date %s', async (_case, date, problems) => {
    expect(await read(letter({ Date: date }, 'x'))).toMatchObject({ sentAt: RECEIVED, problems });
  });

  test('give the thread whatever their case and order', async () => {
    const message = await read(
      letter(
        {
          'message-id': '',
          'MESSAGE-ID': '',
          'In-Reply-To': '<b@acme.test>',
          References: '<a@ACME.test>\r\n <b@acme.test>',
        },
        'x',
      ),
    );
    expect(message.threadKeys).toEqual(['mail:1042@client.com', 'mail:a@acme.test', 'mail:b@acme.test']);
  });
});

describe('the identity of a mail', () => {
  const mail = (headers: Record<string, string>, body = 'Bonjour') => read(letter(headers, body)).then((m) => m.digest);

  test('is the same after another hop, folding, other line ends and another zone of the date', async () => {
    const plain = await mail({});
    expect(await mail({ Received: 'from mx.acme.test', 'Delivered-To': 'contact@acme.test' })).toBe(plain);
    expect(await mail({ Subject: 'Ma\r\n commande' })).toBe(plain);
    expect(await mail({ Date: 'Fri, 20 Nov 2026 09:30:00 GMT' })).toBe(plain);
    expect(await read(letter({}, 'Bonjour').toString('latin1').replaceAll('\r\n', '\n')).then((m) => m.digest)).toBe(
      plain,
    );
  });

  test('is another one when the words differ, though the Message-ID is the same', async () => {
    expect(await mail({}, 'Bonsoir')).not.toBe(await mail({}));
    expect(await mail({ From: 'tom@acme.test' })).not.toBe(await mail({}));
  });

  test('comes from the HTML as written where there are no plain words', async () => {
    const html = { 'Content-Type': 'text/html' };
    expect(await mail(html, '<p>a</p>')).toBe(await mail(html, '<p>a</p>'));
    expect(await mail(html, '<p>a</p>')).not.toBe(await mail(html, '<div>a</div>'));
  });
});

describe('the files of a mail', () => {
  const file = (headers: string, body = 'x') => `${headers}\r\n\r\n${body}`;
  const names = async (...parts: string[]) =>
    (await read(letter(...multipart('mixed', 'Content-Type: text/plain\r\n\r\nvoir', ...parts)))).attachments;

  test.each([
    ['a raw Latin-1 name', 'Content-Type: application/pdf; name="Re\xe7u.pdf"', 'Reçu.pdf'],
    ['RFC 2231', "Content-Disposition: attachment; filename*=utf-8''Re%C3%A7u.pdf", 'Reçu.pdf'],
    [
      'RFC 2231 in pieces',
      "Content-Disposition: attachment; filename*0*=utf-8''Re%C3;\r\n filename*1*=%A7u.pdf",
      'Reçu.pdf',
    ],
    [
      'an encoded word, which is not allowed there',
      'Content-Disposition: attachment; filename="=?utf-8?Q?Re=C3=A7u?= 1.pdf"',
      'Reçu 1.pdf',
    ],
    ['a path', 'Content-Disposition: attachment; filename="../../etc/passwd"', 'passwd'],
    ['a path of Windows', 'Content-Disposition: attachment; filename="C:\\\\Temp\\\\facture.pdf"', 'facture.pdf'],
    ['nothing but dots', 'Content-Disposition: attachment; filename=".."', 'attachment'],
    [
      'a name written right to left',
      'Content-Disposition: attachment; filename="=?utf-8?Q?facture=E2=80=AEfdp.exe?="',
      'facturefdp.exe',
    ],
    ['only a location', 'Content-Type: image/png\r\nContent-Location: https://x.test/i/photo.png?size=2', 'photo.png'],
    ['no name, and a type that has a usual one', 'Content-Type: text/calendar', 'invitation.ics'],
    ['no name at all', 'Content-Type: application/octet-stream', 'attachment'],
    [
      'a name of 900 characters',
      `Content-Disposition: attachment; filename="${'a'.repeat(900)}.pdf"`,
      `${'a'.repeat(196)}.pdf`,
    ],
  ])('are named safely by %s', async (_case, headers, name) => {
    expect((await names(file(headers))).map((one) => one.name)).toEqual([name]);
  });

  test('are decoded from the form of old programs (uuencode)', async () => {
    const encoded = 'begin 644 a.txt\r\n%2&%L;&\\\r\n`\r\nend\r\n';
    const headers = 'Content-Type: text/csv; name=a.txt\r\nContent-Transfer-Encoding: x-uuencode';
    const [whole, without] = await names(file(headers, encoded), file(headers, 'Hallo'));
    expect(whole!.content.toString()).toBe('Hallo');
    expect(without!.content.toString()).toBe('Hallo');
  });

  test('have the type of their bytes, not the one the sender claims', async () => {
    const [png, odd] = await names(
      file(
        'Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64',
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGNgAAIAAAUAAXpeqz8AAAAASUVORK5CYII=',
      ),
      file(`Content-Type: application/${'x'.repeat(300)}; name=b`),
    );
    expect([png?.type, odd?.type]).toEqual(['image/png', 'application/octet-stream']);
  });

  test('are kept when they are text with a name, and the letter stays the letter', async () => {
    const message = await read(
      letter(
        ...multipart(
          'mixed',
          file(
            'Content-Type: text/plain; name=body.txt\r\nContent-Disposition: inline; filename=body.txt',
            'La lettre',
          ),
          file('Content-Type: text/plain\r\nContent-Disposition: inline; filename=prix.csv', 'a;b'),
        ),
      ),
    );
    expect(message.text).toBe('La lettre');
    expect(message.attachments.map(({ name, type }) => [name, type])).toEqual([['prix.csv', 'text/plain']]);
  });

  test('stand in their place when the HTML shows them', async () => {
    const message = await read(
      letter(
        ...multipart(
          'related',
          file('Content-Type: text/html', '<img src="cid:photo@client">'),
          file('Content-Type: image/png\r\nContent-ID: <photo@client>'),
        ),
      ),
    );
    expect(message.html).toBe('<img data-content-id="photo@client" />');
    expect(message.attachments).toMatchObject([{ contentId: 'photo@client', inline: true }]);
  });

  test('are found by a percent-encoded content id, and stand beside the letter when its HTML does not show them', async () => {
    const picture = (id: string) =>
      file(`Content-Type: image/png\r\nContent-Disposition: inline\r\nContent-ID: <${id}>`);
    const letterWith = async (html: string) => {
      const parts = [file('Content-Type: text/html', html), picture('a&b%c@client'), picture('other@client')];
      return (await read(letter(...multipart('related', ...parts)))).attachments.map(({ inline }) => inline);
    };
    expect(await letterWith('<img src="cid:a&amp;b%25c@client">')).toEqual([true, false]);
    expect(await letterWith('<p>Voici deux photos</p>')).toEqual([false, false]);
  });

  test('of a mail of which only the beginning was kept leave out the one that was cut', async () => {
    const headers = 'Content-Type: application/zip; name=';
    const [fields, body] = multipart(
      'mixed',
      file('Content-Type: text/plain', 'Bonjour'),
      file(`${headers}a.zip`),
      file(`${headers}b.zip`),
    );
    const message = await read(letter(fields, body.slice(0, -12)), true);
    expect(message.attachments.map((one) => one.name)).toEqual(['a.zip']);
    expect(message).toMatchObject({ text: 'Bonjour', problems: [expect.stringContaining('b.zip')] });
  });

  test('are counted where there are more than a letter has', async () => {
    const many = Array.from({ length: 300 }, () => file('Content-Type: application/octet-stream'));
    const message = await read(letter(...multipart('mixed', ...many)));
    expect(message.attachments).toHaveLength(200);
    expect(message.problems).toEqual([expect.stringContaining('100 more files')]);
  });
});

describe('a bounce', () => {
  const OURS = 'relais.0199@acme.test';
  const daemon = { From: 'Mail Delivery System <MAILER-DAEMON@mx.client.com>', 'Message-ID': '<b1@mx.client.com>' };

  test('as Exim writes it names the mail that came back, and for whom', async () => {
    const { bounce } = await read(
      letter(
        { ...daemon, 'X-Failed-Recipients': 'camille@client.com' },
        `This message was created automatically by mail delivery software.\r\n\r\n  camille@client.com\r\n    550 5.1.1 no such user\r\n\r\n------ This is a copy of the message, including all the headers. ------\r\n\r\nSubject: Re: x\r\nMessage-ID: <${OURS}>\r\n\r\nBonjour`,
      ),
    );
    expect(bounce).toEqual({
      recipients: [{ recipient: 'camille@client.com', status: '5.1.1', action: 'failed' }],
      originalMessageId: OURS,
    });
  });

  test('as qmail writes it is known by its code', async () => {
    const { bounce } = await read(
      letter(
        daemon,
        `<camille@client.com>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <${OURS}>\r\n`,
      ),
    );
    expect(bounce).toEqual({
      recipients: [{ recipient: 'camille@client.com', status: '5.1.1', action: 'failed' }],
      originalMessageId: OURS,
    });
  });

  test.each([
    ['on a line with the reason', 'paul@gone.test Invalid Address, ERROR_CODE :5.1.1', '5.1.1', 'failed'],
    ['in quotes', '"paul@gone.test":\r\nSMTP error: 5.2.2 Mailbox full', '5.2.2', 'failed'],
    ['behind a mark', '   * paul@gone.test\r\nno such user', null, 'failed'],
    ['with the day', 'did not reach:\r\npaul@gone.test on Thu, 19 Nov 2026', null, 'failed'],
    ['in the sentence', 'There was an error delivering your mail to <paul@gone.test>.', null, null],
  ])('names for whom it was %s, by a mail server without an address', async (_, words, status, action) => {
    const from = { From: 'MAILER-DAEMON <>', Subject: 'Mail delivery failed' };
    const copy = 'Original message follows.\r\n\r\nlea@other.test:\r\nbonjour';
    const { bounce } = await read(letter(from, `${words}\r\n\r\n${copy}`));
    expect(bounce?.recipients).toEqual([{ recipient: 'paul@gone.test', status, action }]);
  });

  test('is nothing a person writes, even about one', async () => {
    const { bounce } = await read(letter({}, `J'ai reçu une erreur 5.1.1\r\nMessage-ID: <${OURS}>`));
    expect(bounce).toBeNull();
  });
});

describe('hostile mail', () => {
  test.each([
    [
      '10,000 parts',
      letter(...multipart('mixed', ...Array.from({ length: 10_000 }, () => 'Content-Type: image/png\r\n\r\nx'))),
    ],
    [
      '10,000 files, of which one is being read when there are too many',
      letter(
        ...multipart(
          'mixed',
          ...Array.from(
            { length: 10_000 },
            () => 'Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=',
          ),
        ),
      ),
    ],
    ['a header of 1.5 MB', letter({ 'X-Long': 'y'.repeat(1_500_000) }, 'x')],
    ['nothing', Buffer.alloc(0)],
    ['bytes that are no mail', Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7919) % 256))],
  ])('is refused with a sentence: %s', async (_case, raw) => {
    await expect(read(raw)).rejects.toBeInstanceOf(Unreadable);
  });

  test.each([
    ['20 MB of text', letter({}, 'lorem ipsum dolor\r\n'.repeat(1_000_000))],
    ['20 MB of HTML', letter({ 'Content-Type': 'text/html' }, '<p>lorem ipsum</p>\r\n'.repeat(1_000_000))],
    ['500,000 elements in each other', letter({ 'Content-Type': 'text/html' }, '<b>'.repeat(500_000))],
    ['2 MB of opening brackets', letter({ 'Content-Type': 'text/html' }, '<'.repeat(2_000_000))],
    ['50,000 encoded words', letter({ Subject: '=?utf-8?q?a?= '.repeat(50_000) }, 'x')],
    ['50,000 references', letter({ References: '<a@b> '.repeat(50_000) }, 'x')],
    ['50,000 recipients', letter({ To: 'a@b.c, '.repeat(50_000) }, 'x')],
    ['300 multiparts in each other', letter({}, '').subarray(0, -2).toString('latin1') + nested(300)],
    ['a million quotation marks', letter({}, '>'.repeat(1_000_000))],
  ])('is read within seconds: %s', async (_case, raw) => {
    const began = Date.now();
    expectStorable(await read(raw as Buffer));
    // A reader that looks back from every character needs minutes; a busy machine makes seconds of one.
    expect(Date.now() - began).toBeLessThan(30_000);
  });

  test('changed at random gives a message that can be stored, or the reason why not', async () => {
    const mails = fixturePaths().map((file) => readFileSync(path.join(FIXTURES, file)));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(mails.length - 1),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        async (index, changes) => {
          const raw = changes.reduce<Buffer>((mail, apply) => apply(mail), mails[index]!);
          const began = Date.now();
          const message = await readEmail(raw, RECEIVED).catch((error) => {
            if (error instanceof Unreadable) return null;
            throw error;
          });
          expect(Date.now() - began).toBeLessThan(2_000);
          if (message) {
            expectStorable(message);
            expect((await readEmail(raw, RECEIVED)).digest).toBe(message.digest);
          }
        },
      ),
      { numRuns: LONG ? 10_000 : 400, seed: 1042 },
    );
  }, 600_000);
});

describe('the HTML of a mail', () => {
  test.each([
    ['scripts', 'a<script>alert(1)</script>b<SCRIPT SRC=https://x.test/a.js></SCRIPT>c', 'abc'],
    ['handlers', '<p onclick="alert(1)" onmouseover=alert(1)>a</p><img src=x onerror=alert(1)>', '<p>a</p><img />'],
    [
      'javascript: links, however written',
      '<a href="javascript:alert(1)">a</a><a href="java&#10;script:alert(1)">b</a><a href=" JAVASCRIPT:x">c</a>',
      link('', 'a') + link('', 'b') + link('', 'c'),
    ],
    ['data: pages', '<a href="data:text/html,<script>alert(1)</script>">a</a>', link('', 'a')],
    [
      'links into Relais itself',
      '<a href="/inbox/auth/sign-out">a</a><a href="//evil.test">b</a>',
      link('', 'a') + link('', 'b'),
    ],
    [
      'frames, objects and media',
      'a<iframe src=x></iframe><object data=x></object><embed src=x><video src=x poster=y></video>b',
      'ab',
    ],
    ['forms', '<form action="https://evil.test"><input name=password><button>ok</button></form>', 'ok'],
    [
      'refreshes, bases and style sheets',
      '<meta http-equiv=refresh content="0;url=https://evil.test"><base href="https://evil.test"><link rel=stylesheet href=x><style>*{background:url(https://evil.test)}</style>a',
      'a',
    ],
    [
      'drawings that carry scripts',
      'a<svg onload=alert(1)><script>alert(1)</script><a xlink:href="javascript:x"></a></svg>',
      `a${link('', '')}`,
    ],
    [
      'styles that fetch, float or run',
      '<p style="background:url(https://x.test/t.gif);position:fixed;color:red;width:expression(alert(1));behavior:url(x)">a</p>',
      '<p style="color:red">a</p>',
    ],
    [
      'images that are documents',
      '<img src="data:image/svg+xml;base64,PHN2Zz4="><img src="javascript:alert(1)">',
      '<img /><img />',
    ],
    ['attributes that are ours', '<img data-remote-src="https://x.test/t.gif" data-content-id="a@b">', '<img />'],
    ['the words of its title', '<html><head><title>Titre</title></head><body>a</body></html>', 'a'],
  ])('loses %s', (_what, html, expected) => {
    expect(sanitiseMailHtml(html)).toBe(expected);
  });

  test.each([
    [
      'remote images aside until an agent asks',
      '<img src="https://x.test/t.gif">',
      '<img data-remote-src="https://x.test/t.gif" />',
    ],
    [
      'images without a scheme aside as well',
      '<img src="//x.test/t.gif">',
      '<img data-remote-src="https://x.test/t.gif" />',
    ],
    ['its own images in place', '<img src="CID:photo@client">', '<img data-content-id="photo@client" />'],
    [
      'small images that it carries',
      '<img src="data:image/png;base64,AAAA">',
      '<img src="data:image/png;base64,AAAA" />',
    ],
    [
      'tables, colours and links that open elsewhere',
      '<table><tr><td bgcolor="#fff" style="color:#333">a</td></tr></table><a href="https://client.com/?a=1&amp;b=2">b</a>',
      `<table><tr><td bgcolor="#fff" style="color:#333">a</td></tr></table>${link('https://client.com/?a=1&amp;b=2', 'b')}`,
    ],
  ])('keeps %s', (_what, html, expected) => {
    expect(sanitiseMailHtml(html)).toBe(expected);
  });

  test('made of anything never carries a script, a handler or an address that loads by itself', () => {
    const piece = fc.constantFrom(
      ...[
        '<',
        '>',
        '"',
        "'",
        '/',
        '=',
        ' ',
        '\0',
        '&#x6a;',
        '<script',
        '</script>',
        '<img src=',
        '<svg/onload=',
        'onerror=',
        'style=',
        '<!--',
        '-->',
        '<![CDATA[',
      ],
      ...[
        'javascript:',
        'data:text/html,',
        'url(',
        'expression(',
        '<a href=',
        '<iframe srcdoc=',
        '<math><mtext>',
        '<noscript>',
        '<p title="',
        '</p',
        'https://x.test/',
        '<template>',
        '<style>',
        '<xmp>',
        '<plaintext>',
      ],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 30 }), (pieces) => {
        const html = sanitiseMailHtml(pieces.join(''))!;
        expect(html).not.toMatch(/<(script|iframe|svg|math|style|object|form|input|meta|base|link|template)\b/i);
        const tags = html.match(/<[^>]*>/g)?.join('') ?? '';
        expect(tags).not.toMatch(/\son\w+\s*=/i);
        expect(tags).not.toMatch(/(href|src)="\s*(javascript|data:text|vbscript)/i);
        expect(tags).not.toMatch(/\ssrc="https?:/i);
      }),
      { numRuns: LONG ? 20_000 : 2_000, seed: 7 },
    );
  });
});

describe('a message of a custom webhook', () => {
  const receipt = {
    integrationId: '0199c0de-0000-7000-8000-000000000001',
    sourceId: 'order-1042',
    receivedAt: RECEIVED,
  };
  const custom = (message: Record<string, unknown>) =>
    readCustom(Buffer.from(JSON.stringify(message)), receipt, 'FR', null);
  const question = { from: { email: 'Camille@Client.com', name: 'Camille' }, text: 'Où est ma commande ?' };

  test('is recognised by its address, its number and the name the other system gave', async () => {
    const message = await custom({ ...question, from: { ...question.from, phone: '06 12 34 56 78', id: 'c-42' } });
    expect(message.contacts).toEqual([
      { kind: 'email', value: 'camille@client.com' },
      { kind: 'phone', value: '+33612345678' },
      { kind: 'handle', value: `${receipt.integrationId}:c-42` },
    ]);
  });

  test('stands in the conversation it names, apart from those of other webhooks', async () => {
    const message = await custom({ ...question, conversation: 'order-1042' });
    expect(message.threadKeys).toEqual([`webhook:${receipt.integrationId}:order-1042`]);
  });

  test('can be stored whatever characters it has', async () => {
    const odd = 'a\0\ud800b';
    const message = await custom({
      from: { id: odd, name: odd },
      subject: odd,
      text: odd,
      html: `<p>${odd}</p>`,
      conversation: odd,
      attachments: [{ name: `../${odd}\u202e.pdf`, content: 'AAAA' }],
    });
    expectStorable(message);
    expect(message.attachments[0]?.name).toBe('a\ufffdb.pdf');
  });

  test('has safe HTML and files by their bytes', async () => {
    const pdf = Buffer.from('%PDF-1.7\n%âãÏÓ\n').toString('base64');
    const message = await custom({
      ...question,
      html: '<p onclick=x>a<script>1</script></p>',
      attachments: [{ name: 'photo.png', content: pdf }],
    });
    expect(message.html).toBe('<p>a</p>');
    expect(message.attachments).toMatchObject([{ name: 'photo.png', type: 'application/pdf' }]);
  });

  test('from the future counts from when it came', async () => {
    expect((await custom({ ...question, sentAt: '2099-01-01T00:00:00Z' })).sentAt).toEqual(RECEIVED);
    expect((await custom({ ...question, sentAt: '2026-11-19T00:00:00+01:00' })).sentAt).toEqual(
      new Date('2026-11-18T23:00:00Z'),
    );
  });

  test.each([
    ['no JSON', Buffer.from('hello')],
    ['no sender', Buffer.from('{"from":{},"text":"x"}')],
    ['no text', Buffer.from('{"from":{"id":"1"}}')],
  ])('with %s is refused with a sentence', async (_case, raw) => {
    await expect(readCustom(raw, receipt, 'FR', null)).rejects.toBeInstanceOf(Unreadable);
  });
});

/** What a reader of the snapshot can judge at a glance. */
function summaryOf(message: IncomingMessage) {
  return {
    sender: [message.sender.name, message.sender.address],
    client: [message.clientName, ...message.contacts.map((contact) => contact.value)],
    replyTo: message.replyTo,
    to: message.recipients.join(' '),
    cc: message.cc.join(' '),
    subject: message.subject,
    sentAt: message.sentAt.toISOString(),
    digest: message.digest.slice(0, 12),
    threadKeys: message.threadKeys,
    newText: `${message.newText.length} of ${message.text.length}: ${message.newText.slice(0, 120)}`,
    html: message.html?.length ?? null,
    files: message.attachments.map(
      (file) => `${file.name} (${file.type}, ${file.content.length}${file.inline ? ', inline' : ''})`,
    ),
    bounce: message.bounce,
    problems: message.problems,
  };
}

/** What PostgreSQL's columns demand: no NUL, no half characters, bounded lengths. */
function expectStorable(message: IncomingMessage): void {
  const { attachments, ...fields } = message;
  const json = JSON.stringify([fields, attachments.map(({ content: _content, ...file }) => file)]);
  expect(json.replaceAll('\\\\', '').match(/.{0,40}\\u(0000|d[89a-f]..).{0,40}/i)?.[0]).toBeUndefined();
  expect(message.subject.length).toBeLessThanOrEqual(998);
  expect(message.replyTo?.length ?? 0).toBeLessThanOrEqual(320);
  expect(message.clientName?.length ?? 0).toBeLessThanOrEqual(300);
  expect(Math.max(0, ...message.threadKeys.map((key) => key.length))).toBeLessThanOrEqual(300);
  expect(Math.max(0, ...message.contacts.map((contact) => contact.value.length))).toBeLessThanOrEqual(320);
  for (const file of attachments) {
    expect(file.name.length).toBeLessThanOrEqual(255);
    expect(file.type.length).toBeLessThanOrEqual(120);
    expect(file.contentId?.length ?? 0).toBeLessThanOrEqual(255);
  }
  expect(Number.isNaN(message.sentAt.getTime())).toBe(false);
}

/** As the same mail looks after one more server, by another of the company's addresses. */
function anotherHop(raw: Buffer): Buffer {
  const mailbox = raw.subarray(0, 5).toString() === 'From ';
  const added = 'Return-Path: <bounce@client.com>\r\nDelivered-To: contact@acme.test\r\nReceived: from a by b\r\n';
  return mailbox ? raw : Buffer.concat([Buffer.from(added), raw]);
}

type Change = (mail: Buffer) => Buffer;

const HOSTILE = [
  ...[
    '\0',
    '\r\n\r\n',
    '\n',
    '--',
    'Content-Type: multipart/mixed; boundary=',
    'Content-Type: message/rfc822\r\n\r\n',
    'charset=utf-16',
    'charset=\x00',
    '=?utf-16?B?2AA=?=',
    '=?',
    '?=',
    '=?utf-8?Q?=F0=9F?=',
  ],
  ...[
    'Content-Transfer-Encoding: base64\r\n',
    'Content-Transfer-Encoding: x-uuencode\r\n',
    '<',
    '>',
    '"',
    '(',
    ';',
    ':',
    ',',
    '@',
    '\xff\xfe',
    '\xed\xa0\x80',
    '&#xD800;',
    '<![CDATA[',
    '<b>'.repeat(50),
    'filename*0*=',
    "name*=utf-8''%00",
  ],
];

/** One damage to a mail, at a place given as a share of its length. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)).map(
    ([at, byte]): Change =>
      (mail) => {
        const copy = Buffer.from(mail);
        if (copy.length > 0) copy[Math.floor(at * (copy.length - 1))] = byte;
        return copy;
      },
  ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(...HOSTILE), fc.nat(40)).map(
    ([at, words, times]): Change =>
      (mail) =>
        Buffer.concat([
          mail.subarray(0, place(mail, at)),
          Buffer.from(words.repeat(times + 1), 'latin1'),
          mail.subarray(place(mail, at)),
        ]),
  ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(400)).map(
    ([at, length]): Change =>
      (mail) =>
        Buffer.concat([mail.subarray(0, place(mail, at)), mail.subarray(place(mail, at) + length)]),
  ),
  fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2_000), fc.nat(20)).map(
    ([at, length, times]): Change =>
      (mail) => {
        const piece = mail.subarray(place(mail, at), place(mail, at) + length);
        return Buffer.concat([mail, ...Array.from({ length: times }, () => piece)]);
      },
  ),
  fc.double({ min: 0, max: 1, noNaN: true }).map(
    (at): Change =>
      (mail) =>
        mail.subarray(0, place(mail, at)),
  ),
);

function place(mail: Buffer, share: number): number {
  return Math.floor(share * mail.length);
}

function nested(levels: number): string {
  return Array.from(
    { length: levels },
    (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
  ).join('');
}

function link(href: string, words: string): string {
  return `<a${href && ` href="${href}"`} target="_blank" rel="noopener noreferrer nofollow">${words}</a>`;
}
