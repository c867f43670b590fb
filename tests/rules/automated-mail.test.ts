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
