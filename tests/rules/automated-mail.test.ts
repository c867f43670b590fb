import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  classifyMail,
  type MailHeaders,
  type MailTraits,
  type MailVerdict,
  mayAutoReplyTo,
} from '../../domain/rules/automated-mail.ts';
import { bulkSignals } from '../../domain/rules/bulk-mail.ts';
import { fixturePaths, letter, readFixture } from './fixture-mail.ts';

const LIST_UNSUBSCRIBE = ['List-Unsubscribe', '<https://shop.test/u/1>'] as const;
const LIST_ID = ['List-Id', 'Shop <news.shop.test>'] as const;

const kindOf = (change: Partial<MailTraits>) => {
  const { kind, reason } = classifyMail(letter(change));
  return `${kind} ${reason}`;
};
const withHeaders = (...headers: MailHeaders) => kindOf({ headers });
const mayAnswer = (change: Partial<MailTraits>) => {
  const mail = letter(change);
  return mayAutoReplyTo(mail, classifyMail(mail));
};

describe("a client's own mail stays personal", () => {
  test.each<[string, Partial<MailTraits>]>([
    ['a plain letter', {}],
    ['one from Outlook, which suppresses receipts', { headers: [['X-Auto-Response-Suppress', 'DR, RN, NRN, OOF']] }],
    ['one whose program says that it is not automatic', { headers: [['Auto-Submitted', 'no']] }],
    ['an order notice with a link to unsubscribe', { headers: [LIST_UNSUBSCRIBE], text: 'Se désabonner' }],
    ['a ticket system with Precedence: bulk', { headers: [['Precedence', 'bulk']] }],
    ['a shop that cannot be answered', { senderAddress: 'no-reply@shop.test' }],
    ['a mail through a provider that counts', { headers: [['Feedback-ID', '1:2:3:ses']] }],
    ['a complaint about our own newsletter', { text: 'Je veux me désabonner, unsubscribe, version en ligne' }],
    ['a question about the post office', { subject: 'Absence du bureau de poste le lundi' }],
    ['a reply to an automatic reply', { subject: 'Re: Out of office: Ma commande' }],
    [
      'a reply to a bounce, by a postmaster',
      { subject: 'Re: Undelivered Mail', senderAddress: 'postmaster@client.com' },
    ],
    [
      'a server that found no spam',
      {
        headers: [
          ['X-Spam-Status', 'No, score=-1'],
          ['X-Spam-Flag', 'NO'],
        ],
      },
    ],
    [
      'a stranger who adds a spam mark below the server',
      {
        headers: [
          ['X-Spam-Flag', 'NO'],
          ['X-Spam-Flag', 'YES'],
        ],
      },
    ],
    ['a colleague who writes by hand from an own address', { senderAddress: 'support@acme.test' }],
    ['an attachment of type report', { contentType: 'multipart/report; report-type=x-sales' }],
    ['a mail whose Return-Path is missing', { returnPath: null }],
  ])('%s', (_, change) => {
    expect(classifyMail(letter(change)).kind).toBe('personal');
  });

  test("mail to a group that is the company's own inbox", () => {
    const group: MailHeaders = [
      ['Precedence', 'list'],
      ['List-ID', '<support.acme.test>'],
      ['List-Post', '<https://groups.test/acme>, <mailto:support@acme.test>'],
      LIST_UNSUBSCRIBE,
    ];
    expect(withHeaders(...group)).toBe('personal no-sign');
    expect(kindOf({ headers: group, ownAddresses: ['support@globex.test'] })).toBe('list list-id');
  });

  test('all replies that people wrote in the usual programs', async () => {
    for (const path of fixturePaths('replies'))
      expect([path, classifyMail(await readFixture(path)).kind]).toEqual([path, 'personal']);
  });

  test('an answer to us, whatever its headers say of lists and spam', () => {
    const headers: MailHeaders = [LIST_ID, LIST_UNSUBSCRIBE, ['X-Spam-Flag', 'YES'], ['Precedence', 'bulk']];
    expect(kindOf({ headers, answersUs: true })).toBe('personal answers-us');
    expect(bulkSignals(letter({ headers, answersUs: true })).score).toBeLessThan(0);
  });
});

describe('newsletters and lists', () => {
  test.each<[string, MailHeaders]>([
    ['List-Id', [LIST_UNSUBSCRIBE, LIST_ID]],
    ['Precedence', [LIST_UNSUBSCRIBE, ['precedence', 'Bulk']]],
    ['Feedback-ID', [LIST_UNSUBSCRIBE, ['Feedback-ID', '1:2:3:ses']]],
    ['a campaign program', [LIST_UNSUBSCRIBE, ['X-Mailer', 'MailChimp Mailer - **CID1**']]],
    ['a campaign header', [LIST_UNSUBSCRIBE, ['X-MC-User', '12ab']]],
    ['One-Click', [LIST_UNSUBSCRIBE, ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click']]],
  ])('List-Unsubscribe with %s is a newsletter', (_, headers) => {
    expect(classifyMail(letter({ headers })).kind).toBe('newsletter');
  });

  test('the reason is the strongest sign, the evidence its header lines', () => {
    expect(
      classifyMail(letter({ headers: [LIST_UNSUBSCRIBE, ['List-ID', `x\r\n <${'news.'.repeat(50)}test>`]] })),
    ).toEqual({
      kind: 'newsletter',
      reason: 'list-id',
      evidence: [`List-ID: x <${'news.'.repeat(50)}`.slice(0, 120), 'List-Unsubscribe: <https://shop.test/u/1>'],
    });
  });

  test('a list one can write to is a list, one for announcements is not', () => {
    const list = (post: string): MailHeaders => [
      LIST_ID,
      ['Precedence', 'list'],
      ['List-Post', post],
      LIST_UNSUBSCRIBE,
    ];
    expect(withHeaders(...list('<mailto:all@club.test>'))).toBe('list list-id');
    expect(withHeaders(...list('NO (announcements)'))).toBe('newsletter list-id');
  });

  test('the tenant decides about senders: the most precise pattern, and allow on a tie', () => {
    const headers: MailHeaders = [LIST_ID, LIST_UNSUBSCRIBE, ['X-Spam-Flag', 'YES']];
    const decide = (...senderRules: MailTraits['senderRules']) =>
      kindOf({ headers, senderAddress: 'news@eu.shop.test', senderRules });
    expect(decide({ pattern: 'shop.test', verdict: 'allow' })).toBe('personal sender-allowed');
    expect(decide({ pattern: '@other.test', verdict: 'allow' })).toBe('spam spam-header');
    const allowed = { pattern: 'news@eu.shop.test', verdict: 'allow' } as const;
    expect(decide({ pattern: '@eu.shop.test', verdict: 'block' }, allowed)).toBe('personal sender-allowed');
    expect(decide({ pattern: 'shop.test', verdict: 'allow' }, { pattern: 'eu.shop.test', verdict: 'block' })).toBe(
      'spam sender-blocked',
    );
    expect(decide({ ...allowed, verdict: 'block' }, allowed)).toBe('personal sender-allowed');
    expect(kindOf({ senderRules: [{ pattern: 'client.com', verdict: 'block' }], answersUs: true })).toBe(
      'spam sender-blocked',
    );
  });
});

describe('machines', () => {
  test('an empty return path is theirs, but not below a new letter that names the program it was written in', () => {
    const program = ['X-Mailer', 'EBP Gestion 2019'] as const;
    const emptied = (headers: MailHeaders, change: Partial<MailTraits> = {}) =>
      kindOf({ returnPath: '<>', headers, ...change });
    expect(emptied([program])).toBe('personal no-sign');
    expect(emptied([program], { subject: 'Re: Votre commande' })).toBe('automatic empty-return-path');
    expect(emptied([program, ['In-Reply-To', '<1@acme.test>']])).toBe('automatic empty-return-path');
    expect(emptied([program], { senderAddress: 'no-reply@client.com' })).toBe('automatic empty-return-path');
    expect(emptied([['X-Mailer', 'PHPMailer 6.8']])).toBe('automatic empty-return-path');
  });

  test("a client's company that shares an inbox as a group writes to us in the group's name", () => {
    const group = (to: string, writer: string) =>
      kindOf({
        senderAddress: 'orders@flowers.test',
        headers: [
          ['List-Id', '<orders.flowers.test>'],
          ['List-Post', '<mailto:orders@flowers.test>'],
          ['Precedence', 'list'],
          ['To', to],
          ['Reply-To', writer],
        ],
      });
    expect(group('support@acme.test', 'Emma <emma@flowers.test>')).toBe('personal no-sign');
    expect(group('orders@flowers.test', 'Emma <emma@flowers.test>')).toBe('list list-id');
    expect(group('support@acme.test', 'Emma <emma@elsewhere.test>')).toBe('list list-id');
    expect(group('support@acme.test', 'orders@flowers.test')).toBe('list list-id');
  });

  test('a client who puts us beside her colleagues’ list writes to us', () => {
    const list: MailHeaders = [LIST_ID, ['List-Post', '<mailto:team@client.com>'], ['Precedence', 'list']];
    const to = (...receivers: string[]) => withHeaders(...list, ['To', receivers.join(', ')]);
    expect(to('team@client.com', 'support@acme.test')).toBe('personal no-sign');
    expect(to('team@client.com')).toBe('list list-id');
    expect(to('support@acme.test')).toBe('list list-id');
  });

  test('what a gateway stamps on a letter written by hand makes no newsletter', () => {
    const stamped: MailHeaders = [LIST_ID, LIST_UNSUBSCRIBE, ['Precedence', 'bulk'], ['To', 'support@acme.test']];
    const byHand: MailHeaders = [...stamped, ['Thread-Topic', 'Ma commande']];
    expect(withHeaders(...stamped)).toBe('newsletter list-id');
    expect(withHeaders(...byHand)).toBe('personal no-sign');
    expect(kindOf({ headers: byHand, text: 'Nos offres. Se désabonner' })).toBe('newsletter list-id');
    expect(withHeaders(...byHand, ['X-Campaign', 'winter'])).toBe('newsletter list-id');
    expect(withHeaders(...byHand, ['List-Post', '<mailto:talk@shop.test>'])).toBe('list list-id');
  });

  test('a campaign without a header of one is known by its whole form, in a new letter only', () => {
    const text = 'View in browser\nSale!\nYou receive this email because you asked for it. Unsubscribe';
    expect(kindOf({ text })).toBe('newsletter campaign-form');
    expect(kindOf({ text, subject: 'Fwd: Sale' })).toBe('personal no-sign');
    expect(kindOf({ text, headers: [['User-Agent', 'Mozilla Thunderbird']] })).toBe('personal no-sign');
    expect(kindOf({ text: `Is this real?\n\n${text.replaceAll(/^/gm, '> ')}` })).toBe('personal no-sign');
  });

  test('a forum takes answers by mail: what it sends is of a list', () => {
    const forum: MailHeaders = [LIST_ID, ['Precedence', 'list'], ['Auto-Submitted', 'auto-generated']];
    expect(withHeaders(...forum)).toBe('automatic auto-submitted');
    expect(withHeaders(...forum, ['Reply-To', 'forum+4ac@shop.test'])).toBe('list list-id');
  });

  test("a help desk's mails carry a Feedback-ID, whoever writes; its campaigns carry more", () => {
    const headers: MailHeaders = [
      ['Feedback-ID', '1:2:desk'],
      ['List-Unsubscribe', '<mailto:abuse@desk.test>'],
    ];
    const desk: MailHeaders = [...headers, ['X-Mailer', 'Help Scout']];
    expect(kindOf({ headers })).toBe('newsletter feedback-id');
    expect(kindOf({ headers: desk })).toBe('personal no-sign');
    expect(kindOf({ headers: [...desk, ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click']] })).toBe(
      'newsletter one-click',
    );
  });

  test.each<[string, Partial<MailTraits>]>([
    ['automatic auto-submitted', { headers: [['Auto-Submitted', 'auto-replied (vacation)']] }],
    ['automatic auto-submitted', { headers: [['AUTO-SUBMITTED', 'Auto-Generated; owner=x']] }],
    ['automatic auto-submitted', { headers: [['Auto-Submitted', 'auto-replied']], answersUs: true }],
    ['automatic auto-reply-header', { headers: [['X-Autoreply', 'yes']] }],
    ['automatic auto-reply-header', { headers: [['X-Autorespond', 'holiday']] }],
    ['automatic auto-reply-header', { headers: [['Precedence', 'auto_reply']] }],
    ['automatic empty-return-path', { returnPath: '' }],
    ['automatic empty-return-path', { returnPath: '<>' }],
    ['automatic absence-subject', { subject: 'Réponse automatique : Ma commande' }],
    ['automatic absence-subject', { subject: 'Re\u0301ponse automatique\u00a0: RDV' }],
    ['automatic absence-subject', { subject: 'Automatic reply: order' }],
    ['automatic absence-subject', { subject: 'Out of Office Re: order' }],
    ['automatic absence-subject', { subject: 'Absence du bureau' }],
    [
      'automatic absence-subject',
      { subject: 'Camille: out of office', headers: [['X-Auto-Response-Suppress', 'All']] },
    ],
    ['automatic read-receipt', { contentType: 'multipart/report; report-type="disposition-notification"; boundary=x' }],
    ['automatic feedback-report', { contentType: 'multipart/report;\r\n report-type=feedback-report' }],
    ['automatic feedback-report', { headers: [['X-HmXmrOriginalRecipient', 'camille@client.com']] }],
    ['bounce mail-system', { senderAddress: 'mailer-daemon@x.test', subject: 'Errors', text: 'Transcript follows.' }],
    ['automatic domain-report', { subject: 'Report Domain: acme.test Submitter: mail.test Report-ID: <1@mail.test>' }],
    ['bounce delivery-status', { contentType: 'Multipart/Report; boundary=x; Report-Type=delivery-status' }],
    ['bounce failure-subject', { senderAddress: 'MAILER-DAEMON', subject: 'Undelivered Mail Returned to Sender' }],
    ['bounce failure-subject', { senderAddress: 'postmaster@x.test', subject: 'Échec de la remise : Votre devis' }],
    ['bounce failure-text', { senderAddress: 'mailer-daemon@x.test', text: 'It could not be delivered.' }],
    [
      'bounce failed-recipients',
      { senderAddress: 'Mailer-Daemon@x.test', headers: [['X-Failed-Recipients', 'a@b.test']] },
    ],
    ['loop own-message-id', { ownMessageId: true, headers: [['Message-ID', '<1@acme.test>']] }],
    ['loop own-x-loop', { headers: [['X-Loop', 'support@acme.test']] }],
    [
      'loop own-automatic-mail',
      { senderAddress: 'reply+TOKEN@acme.test', headers: [['Auto-Submitted', 'auto-replied']] },
    ],
    ['spam spam-header', { headers: [['X-Spam-Flag', 'YES']] }],
    ['spam spam-header', { headers: [['X-Spam-Status', 'Yes, score=9.1 required=5']] }],
    ['spam spam-header', { headers: [['X-Forefront-Antispam-Report', 'CIP:1.2.3.4;CTRY:;SFV:SPM;SCL:1;H:x']] }],
    ['spam spam-header', { headers: [['X-Forefront-Antispam-Report', 'CIP:1.2.3.4;SFV:NSPM;SCL:5']] }],
    ['spam spam-header', { headers: [['X-MS-Exchange-Organization-SCL', '6']] }],
    [
      'personal no-sign',
      {
        headers: [
          ['X-Forefront-Antispam-Report', 'SFV:SKN;SCL:5'],
          ['X-Spam', 'no'],
        ],
      },
    ],
    ['personal no-sign', { headers: [['X-MS-Exchange-Organization-SCL', '-1']] }],
  ])('%s: %j', (expected, change) => {
    expect(kindOf(change)).toBe(expected);
  });

  test('a mail server without an address is known by its name, or by saying nothing', () => {
    const returned = (from: string, change: Partial<MailTraits> = {}) =>
      kindOf({ headers: [['From', from]], senderAddress: null, subject: 'Mail delivery failed', ...change });
    expect(returned('MAILER-DAEMON <>')).toBe('bounce failure-subject');
    expect(returned('Mail Delivery Subsystem <MAILER-DAEMON>')).toBe('bounce failure-subject');
    expect(returned('<>', { subject: '', text: 'Recipient address rejected' })).toBe('bounce failure-text');
    expect(returned('Camille')).toBe('personal no-sign');
    const gateway = { senderAddress: 'admin@gw.test', text: 'Unable to deliver your message.' };
    expect(returned('admin@gw.test', { ...gateway, returnPath: '' })).toBe('bounce failure-text');
    expect(returned('admin@gw.test', gateway)).toBe('personal no-sign');
  });

  test('an allowed sender still cannot make us answer a machine', () => {
    const senderRules = [{ pattern: 'client.com', verdict: 'allow' }] as const;
    expect(kindOf({ senderRules, headers: [['Auto-Submitted', 'auto-replied']] })).toBe('automatic auto-submitted');
    expect(kindOf({ senderRules, contentType: 'multipart/report; report-type=delivery-status' })).toBe(
      'bounce delivery-status',
    );
    expect(kindOf({ senderRules, ownMessageId: true })).toBe('loop own-message-id');
  });

  test('all real bounces are recognised by their type, and as plain text too', async () => {
    for (const path of fixturePaths('mime/multipart_report_emails')) {
      const mail = await readFixture(path);
      expect([path, classifyMail(mail).reason]).toEqual([path, 'delivery-status']);
      const plain = classifyMail({ ...mail, contentType: 'text/plain', headers: [] });
      expect([path, plain.kind]).toEqual([path, 'bounce']);
    }
  });

  test('every real mail gets a verdict, and those of people stay', async () => {
    const filtered: string[] = [];
    for (const path of fixturePaths('mime')) {
      const { kind, reason } = classifyMail(await readFixture(path));
      if (kind !== 'personal') filtered.push(`${path.split('/').at(-1)} ${kind} ${reason}`);
    }
    expect(filtered).toEqual([
      'empty_group_lists.eml spam spam-header',
      'raw_email_with_mimepart_without_content_type.eml bounce delivery-status',
      'multi_address_bounce1.eml bounce delivery-status',
      'multi_address_bounce2.eml bounce delivery-status',
      'multipart_report_multiple_status.eml bounce delivery-status',
      'report_422.eml bounce delivery-status',
      'report_530.eml bounce delivery-status',
      'raw_email_bad_time.eml spam spam-header',
    ]);
  });
});

describe('may a machine answer', () => {
  test.each<[string, Partial<MailTraits>]>([
    ['allowed', {}],
    ['allowed', { headers: [['X-Auto-Response-Suppress', 'DR, RN, NRN']] }],
    ['allowed', { answersUs: true }],
    ['auto-response-suppressed', { headers: [['X-Auto-Response-Suppress', 'DR, OOF']] }],
    ['auto-response-suppressed', { headers: [['X-Auto-Response-Suppress', 'autoreply']] }],
    ['auto-response-suppressed', { headers: [['X-Auto-Response-Suppress', 'All']] }],
    ['list-header', { headers: [LIST_UNSUBSCRIBE] }],
    ['precedence', { headers: [['Precedence', 'junk']] }],
    ['no-reply-sender', { senderAddress: 'ne-pas-repondre@shop.test' }],
    ['no-reply-sender', { headers: [['Reply-To', 'Shop <noreply@shop.test>']] }],
    ['no-reply-sender', { senderAddress: 'postmaster@shop.test' }],
    ['own-address', { senderAddress: 'Support+x@acme.test' }],
    ['no-sender', { senderAddress: null }],
    ['kind-automatic', { returnPath: '' }],
    ['kind-newsletter', { headers: [LIST_UNSUBSCRIBE, LIST_ID] }],
  ])('%s: %j', (reason, change) => {
    expect(mayAnswer(change)).toEqual({ allowed: reason === 'allowed', reason });
  });

  test('a header list of machines is refused even where a person called the mail personal', () => {
    const person: MailVerdict = { kind: 'personal', reason: 'corrected', evidence: [] };
    expect(mayAutoReplyTo(letter({ returnPath: '' }), person).reason).toBe('empty-return-path');
    expect(mayAutoReplyTo(letter({ headers: [['Auto-Submitted', 'auto-generated']] }), person).reason).toBe(
      'auto-submitted',
    );
  });
});

describe('hostile mail', () => {
  const header = fc.tuple(
    fc.oneof(
      fc.constantFrom(
        'List-Id',
        'precedence',
        'Auto-Submitted',
        'X-Spam-Status',
        'X-Forefront-Antispam-Report',
        'List-Post',
      ),
      fc.string(),
    ),
    fc.string({ unit: 'binary' }),
  );
  test('any headers, subject and text get a verdict with short evidence', () => {
    fc.assert(
      fc.property(fc.array(header), fc.string({ unit: 'binary' }), fc.option(fc.string()), (headers, text, sender) => {
        const mail = letter({ headers, text, subject: text, senderAddress: sender, contentType: text, html: text });
        const verdict = classifyMail(mail);
        for (const line of verdict.evidence) expect(line.length).toBeLessThanOrEqual(120);
        expect(typeof mayAutoReplyTo(mail, verdict).allowed).toBe('boolean');
      }),
    );
  });

  test.each([' ', '<', 'mailto:', 'delivery ', 'a,', 'reponse automatique', '\r\n\t', '@', 'SFV:'])(
    'a megabyte of %j in every place takes less than two seconds',
    (piece) => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
      const names = ['List-Id', 'List-Post', 'Reply-To', 'X-Loop', 'X-Forefront-Antispam-Report', 'Precedence'];
      const headers = [...names, ...Array.from({ length: 20_000 }, (_, n) => `X-${n}`)].map(
        (name) => [name, text] as const,
      );
      const mail = letter({
        headers,
        text,
        subject: text,
        html: text,
        contentType: `multipart/report${text}`,
        senderAddress: text,
      });
      const started = performance.now();
      mayAutoReplyTo(mail, classifyMail(mail));
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );
});

describe('a machine carries a letter', () => {
  const GENERATED = ['Auto-Submitted', 'auto-generated'] as const;
  const form = (change: Partial<MailTraits> = {}) => ({
    senderAddress: 'no-reply@site.test',
    headers: [GENERATED, ['Reply-To', 'Camille <camille@client.com>']] as MailHeaders,
    text: 'Nom : Camille\nE-mail : camille@client.com\nMessage : où en est ma commande ?',
    ...change,
  });

  test("a form's is the client's who filled it in", () => {
    expect(kindOf(form())).toBe('personal relayed-letter');
    expect(kindOf(form({ text: 'E-mail\ncamille@client.com\n\nBonjour' }))).toBe('personal relayed-letter');
  });

  test.each<[string, Partial<MailTraits>]>([
    ['the one to answer is not named in it', form({ text: 'Your receipt. Questions? Write to camille@client.com.' })],
    [
      'the one to answer is the company itself',
      form({ headers: [GENERATED, ['Reply-To', 'support@acme.test']], text: 'E-mail : support@acme.test' }),
    ],
    ['a machine answers', form({ headers: [['Auto-Submitted', 'auto-replied'], form().headers[1]!] })],
    ['nobody reads answers', form({ headers: [GENERATED, ['Reply-To', 'no-reply@site.test']] })],
  ])('but not where %s', (_, change) => {
    expect(kindOf(change)).toBe('automatic auto-submitted');
  });

  test("a marketplace of any name announces a buyer's words, from an address made for one", () => {
    const buyer = (change: Partial<MailTraits>) =>
      kindOf({
        headers: [GENERATED, ['Reply-To', 'x81k2l9@market.test']],
        senderAddress: 'x81k2l9@market.test',
        text: 'You have received a message.\n\nThe screws are too short.',
        ...change,
      });
    expect(buyer({})).toBe('personal relayed-letter');
    expect(buyer({ text: 'Your statement is ready.' })).toBe('automatic auto-submitted');
    expect(buyer({ headers: [GENERATED, ['List-Unsubscribe', '<https://market.test/out>']] })).toBe(
      'automatic auto-submitted',
    );
    const desk = [GENERATED, ['Reply-To', 'messages@market.test']] as const;
    expect(buyer({ headers: desk })).toBe('automatic auto-submitted');
  });

  test('a name that is no ASCII tells too through whom somebody writes', () => {
    const headers: MailHeaders = [GENERATED, ['From', '=?UTF-8?B?SnVsaWVuIHZpYSBDYWbDqQ==?= <msg-88212@cafe.test>']];
    const change = { headers, senderAddress: 'msg-88212@cafe.test', text: 'Est-elle démontable ?' };
    expect(kindOf({ ...change, senderName: 'Julien via Café' })).toBe('personal relayed-letter');
    expect(kindOf({ ...change, senderName: 'Café' })).toBe('automatic auto-submitted');
  });

  test('a platform and a telephone hand over what somebody said', () => {
    const headers: MailHeaders = [
      ['Auto-Submitted', 'auto-generated'],
      ['Reply-To', 'famille.duarte@school.test'],
    ];
    const said = { headers, senderAddress: 'no-reply@school.test', text: 'La famille Duarte vous écrit :\n\nBonjour' };
    expect(kindOf(said)).toBe('personal relayed-letter');
    expect(kindOf({ ...said, text: 'La cantine vous écrit :\n\nBonjour' })).toBe('automatic auto-submitted');
    const call = (subject: string) => kindOf({ headers: headers.slice(0, 1), subject });
    expect(call('Fax reçu de 04 67 11 22 33')).toBe('personal relayed-letter');
    expect(call('Votre fax à 04 67 11 22 33 est parti')).toBe('automatic auto-submitted');
  });

  test("a form that does not repeat the writer's address has a name and a message, each behind its label", () => {
    const form = (text: string) =>
      kindOf({
        senderAddress: 'no-reply@site.test',
        headers: [
          ['Auto-Submitted', 'auto-generated'],
          ['Reply-To', 'camille@client.com'],
        ],
        text,
      });
    expect(form('Nom : Camille\nMessage : Où êtes-vous ?')).toBe('personal relayed-letter');
    expect(form('Nom : Camille\nTotal : 12 €')).toBe('automatic auto-submitted');
  });

  test("a help desk's new letter asks something; what it asks by itself is how one liked it", () => {
    const desk: MailHeaders = [
      ['Auto-Submitted', 'auto-generated'],
      ['X-Mailer', 'Intercom'],
    ];
    const says = (text: string) => kindOf({ headers: desk, text });
    expect(says('Could you send the invoice in euros? Sam')).toBe('personal relayed-letter');
    expect(says('How satisfied are you?')).toBe('automatic auto-submitted');
    expect(says('Your request has been received. Questions?')).toBe('automatic auto-submitted');
  });

  test('a calendar names its sender beside the person who invites', () => {
    const headers: MailHeaders = [GENERATED, ['Sender', 'Google Calendar <calendar-notification@google.com>']];
    expect(kindOf({ headers })).toBe('personal relayed-letter');
    expect(kindOf({ headers, senderAddress: 'calendar-notification@google.com' })).toBe('automatic auto-submitted');
  });

  test("a ticket system's answer is a person's, its acknowledgement is not", () => {
    const ticket = (text: string) =>
      kindOf({
        headers: [GENERATED, ['X-Mailer', 'Zendesk Mailer'], ['In-Reply-To', '<1@acme.test>']],
        subject: '[Volteo] Re: Bornes',
        answersUs: true,
        text,
      });
    expect(ticket('Bonjour Maya, il en manque deux. Lucie')).toBe('personal answers-us');
    expect(ticket('Votre demande (771) a bien été reçue.')).toBe('automatic auto-submitted');
  });
});

describe('a notice that does not say that it is automatic', () => {
  const sender = { senderAddress: 'no-reply@parcels.test' };
  const words = 'Votre colis arrive. Ce message est envoyé automatiquement, merci de ne pas y répondre.';

  test('is known by two signs people hardly ever give', () => {
    expect(kindOf({ ...sender, text: words })).toBe('automatic machine-notice');
    expect(kindOf({ text: words, headers: [['Reply-To', 'no-reply@parcels.test']] })).toBe('automatic machine-notice');
    expect(kindOf({ text: words, headers: [['X-Auto-Response-Suppress', 'All']] })).toBe('automatic machine-notice');
  });

  test.each<[string, Partial<MailTraits>]>([
    ['one sign alone', { text: words }],
    ['an address that nobody reads, with a provider', { ...sender, headers: [['Feedback-ID', '1:2:3:ses']] }],
    ['a forward', { ...sender, subject: 'Fwd: colis', text: words }],
    ['a quotation', { ...sender, text: `Où est-il ?\n\nLe 3 nov. 2026 à 10:00, X <x@y.test> a écrit :\n> ${words}` }],
    ['a form that asks not to be answered', { ...sender, text: `E-mail : camille@client.com\n${words}` }],
    ['another address to write to', { ...sender, text: 'Merci de ne pas répondre à cette adresse, mais à la mienne.' }],
  ])('but %s leaves it personal', (_, change) => {
    expect(classifyMail(letter(change)).kind).toBe('personal');
  });
});

describe('a forged sender', () => {
  const results = (value: string, ...more: MailHeaders) =>
    withHeaders(['Authentication-Results', `mx.test; spf=fail; ${value}`], ...more);

  test('is spam where its domain asks to refuse it, and no forward has passed it on', () => {
    expect(results('dmarc=fail (p=REJECT sp=REJECT dis=NONE) header.from=bank.test')).toBe('spam dmarc-fail');
    expect(results('dmarc=fail action=oreject header.from=bank.test')).toBe('spam dmarc-fail');
    expect(results('dmarc=fail (p=NONE dis=NONE)')).toBe('personal no-sign');
    expect(results('dmarc=pass (p=REJECT)')).toBe('personal no-sign');
    expect(results('arc=pass; dmarc=fail (p=REJECT)')).toBe('personal no-sign');
    expect(results('dmarc=fail (p=REJECT)', ['X-Forwarded-To', 'support@acme.test'])).toBe('personal no-sign');
  });
});

describe('a sender the mail server could not confirm', () => {
  const allowed = (...values: string[]) => {
    const mail = letter({ headers: values.map((value) => ['Authentication-Results', value] as const) });
    return mayAutoReplyTo(mail, classifyMail(mail)).reason;
  };

  test.each([
    ['failed DMARC', ['mx.test; spf=pass; dmarc=fail (p=NONE) header.from=client.com']],
    ['failed DMARC, as Exchange says it', ['spf=fail (sender IP is 1.2.3.4); dkim=none; dmarc=fail action=none']],
    ['failed SPF, unsigned', ['mx.test; spf=fail smtp.mailfrom=client.com; dkim=none']],
    [
      'failed, in a second line of the same server',
      ['mx.test; spf=pass', 'mx.test 1; dkim=pass', 'mx.test; dmarc=fail'],
    ],
    ['failed, whatever the mail had brought along', ['mx.test; dmarc=fail', 'mx.test; dmarc=pass']],
    ['failed, whatever a comment says', ['mx.test; spf=fail (dkim=pass; dmarc=pass) smtp.mailfrom=x']],
  ])('is not answered by a machine: %s', (_, values) => {
    expect(allowed(...values)).toBe('authentication-failed');
  });

  test.each([
    ['it was confirmed', ['mx.test; spf=fail; dkim=pass; dmarc=pass']],
    ['a forward broke SPF and the signature held', ['mx.test; spf=fail; dkim=pass header.d=client.com']],
    ['SPF only doubts', ['mx.test; spf=softfail; dkim=none']],
    ['somebody else’s server says so', ['mx.test; spf=pass', 'elsewhere.test; dmarc=fail']],
    ['nobody asked', []],
  ])('may be answered when %s', (_, values) => {
    expect(allowed(...values)).toBe('allowed');
  });

  test('has still written a letter: a failure alone makes no spam', () => {
    expect(withHeaders(['Authentication-Results', 'mx.test; spf=fail; dkim=fail; dmarc=fail (p=NONE)'])).toBe(
      'personal no-sign',
    );
  });
});

describe('a mail in the Junk folder', () => {
  const inJunk = true;
  const senderRules = [{ pattern: 'camille@client.com', verdict: 'allow' as const }];

  test.each([
    ['is spam', { inJunk }, 'spam junk-folder'],
    [
      'is spam, whatever machine wrote it',
      { inJunk, headers: [['Auto-Submitted', 'auto-generated']] },
      'spam junk-folder',
    ],
    ['is a letter when its sender is allowed', { inJunk, senderRules }, 'personal sender-allowed'],
    ['is a letter when it answers ours', { inJunk, answersUs: true }, 'personal answers-us'],
    ['tells of our own mail that came back', { inJunk, ownMessageId: true }, 'loop own-message-id'],
  ] as [string, Partial<MailTraits>, string][])('%s', (_, change, expected) => {
    expect(kindOf(change)).toBe(expected);
  });
});

test('an absence before our own subject is an automatic answer, at the beginning of a letter it is not', () => {
  const answer: MailHeaders = [['In-Reply-To', '<1@acme.test>']];
  for (const subject of ['Absent : Re: Commande 12', 'Abwesend: Rechnung', 'OOO Re: Quote', 'De vacaciones: Pedido']) {
    expect(kindOf({ subject, headers: answer, answersUs: true })).toBe('automatic absence-subject');
    expect(kindOf({ subject })).toBe('personal no-sign');
  }
  expect(kindOf({ subject: 'Absence de réponse', headers: answer, answersUs: true })).toBe('personal answers-us');
});
