// What the company's mail server puts above every mail it lets in; which one it is follows from the mail's id.
import type { MailFacts } from './mail-programs.ts';

const received = (by: string, { domain, seed, sent }: MailFacts) =>
  `Received: from mx.${domain} (mx.${domain} [198.51.100.${Number.parseInt(seed.slice(0, 2), 16)}]) by ${by} with ESMTPS id ${seed.slice(0, 12)} for <support@acme.test>; ${sent.toUTCString().replace('GMT', '+0000')}`;
const passed = (by: string, { domain, from }: MailFacts) =>
  `Authentication-Results: ${by}; dkim=pass header.d=${domain}; spf=pass smtp.mailfrom=${from}; dmarc=pass header.from=${domain}`;

const SERVERS: Record<string, (facts: MailFacts) => string[]> = {
  ovh: (facts) => [
    `Return-Path: <${facts.from}>`,
    'Delivered-To: support@acme.test',
    received('mx1.mail.ovh.net', facts),
    passed('mx1.mail.ovh.net', facts),
    'X-VR-SPAMSTATE: OK',
    'X-VR-SPAMSCORE: 0',
    'X-Ovh-Spam-Status: OK',
    'X-Ovh-Spam-Reason: vr: OK; dkim: disabled; spf: disabled',
  ],
  google: (facts) => [
    'Delivered-To: support@acme.test',
    `Received: by 2002:a05:6a10:1234:0:0:0:0 with SMTP id ${facts.seed.slice(0, 12)}csp123; ${facts.sent.toUTCString().replace('GMT', '+0000')}`,
    `X-Received: by 2002:a05:600c:1234:b0 with SMTP id ${facts.seed.slice(0, 10)}.1.1700000000000`,
    `ARC-Authentication-Results: i=1; mx.google.com; dkim=pass header.i=@${facts.domain}; spf=pass smtp.mailfrom=${facts.from}; dmarc=pass header.from=${facts.domain}`,
    `Return-Path: <${facts.from}>`,
    received('mx.google.com', facts),
    passed('mx.google.com', facts),
  ],
  m365: (facts) => [
    received('AM0EUR02FT012.mail.protection.outlook.com', facts),
    passed('spf.protection.outlook.com', facts),
    `Return-Path: ${facts.from}`,
    'X-MS-Exchange-Organization-SCL: 1',
    'X-Forefront-Antispam-Report: CIP:198.51.100.7;CTRY:FR;LANG:fr;SCL:1;SRV:;IPV:NLI;SFV:NSPM;PTR:;CAT:NONE;SFS:(13230040);DIR:INB;',
    'X-Microsoft-Antispam: BCL:0;ARA:13230040;',
    'X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:0;auth:0;dest:I;ENG:(910001);',
  ],
  spamassassin: (facts) => [
    `Return-Path: <${facts.from}>`,
    'Delivered-To: support@acme.test',
    received('mail.acme.test', facts),
    'X-Spam-Checker-Version: SpamAssassin 4.0.0 on mail.acme.test',
    'X-Spam-Level:',
    'X-Spam-Status: No, score=-0.2 required=5.0 tests=DKIM_SIGNED,DKIM_VALID,HTML_MESSAGE,SPF_PASS autolearn=ham',
  ],
  rspamd: (facts) => [
    `Return-Path: <${facts.from}>`,
    'X-Original-To: support@acme.test',
    'Delivered-To: support@acme.test',
    received('mx.infomaniak.ch', facts),
    passed('mx.infomaniak.ch', facts),
    'X-Spamd-Result: default: False [-1.20 / 15.00]; R_SPF_ALLOW(-0.20)[+ip4:198.51.100.0/24]; MIME_GOOD(-0.10)[text/plain]; ASN(0.00)[asn:64500]',
    'X-Rspamd-Action: no action',
    'X-Spam: No',
  ],
  gandi: (facts) => [
    `Return-Path: <${facts.from}>`,
    'Delivered-To: support@acme.test',
    received('spool.mail.gandi.net', facts),
    'X-GND-Status: LEGIT',
    'X-GND-Score: -100',
  ],
  bare: (facts) => [`Return-Path: <${facts.from}>`, received('mail.acme.test', facts)],
};

/** @param name null picks one by the mail's digest */
export function headersOfServer(name: string | null, facts: MailFacts): string[] {
  const names = Object.keys(SERVERS);
  const chosen = name ?? names[Number.parseInt(facts.seed.slice(-2), 16) % names.length]!;
  const server = SERVERS[chosen];
  if (!server) throw new Error(`No mail server is called ${chosen}.`);
  return server(facts);
}
