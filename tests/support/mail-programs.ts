// What a sender's program or webmail adds to every mail, as seen in mails of each.
export type MailFacts = { seed: string; from: string; domain: string; sent: Date };

const PROGRAMS: Record<string, (facts: MailFacts) => string[]> = {
  bare: ({ seed, domain }) => [`Message-ID: <${seed.slice(0, 24)}@${domain}>`],
  gmail: ({ seed, domain }) => [
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=20230601; h=to:subject:message-id:date:from; bh=${seed.slice(0, 20)}=; b=${seed}`,
    `X-Google-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.net; s=20230601; bh=${seed.slice(0, 20)}=; b=${seed}`,
    `X-Gm-Message-State: AOJu0Y${seed.slice(0, 40)}`,
    `X-Google-Smtp-Source: AGHT+${seed.slice(5, 45)}`,
    `Message-ID: <CA+${seed.slice(0, 30)}@mail.gmail.com>`,
  ],
  outlook: ({ seed }) => [
    `Thread-Index: AQH${seed.slice(0, 24)}==`,
    'Accept-Language: fr-FR, en-US',
    'Content-Language: fr-FR',
    'X-MS-Has-Attach:',
    'X-MS-TNEF-Correlator:',
    'x-ms-publictraffictype: Email',
    `x-ms-traffictypediagnostic: PAXP${seed.slice(0, 4)}:EE_|AM9PR04MB${seed.slice(4, 8)}:EE_`,
    'x-ms-exchange-senderadcheck: 1',
    'x-ms-exchange-antispam-relay: 0',
    `X-MS-Exchange-CrossTenant-Network-Message-Id: ${seed.slice(0, 8)}-1111-4222-8333-${seed.slice(8, 20)}`,
    `Message-ID: <PAXP193MB${seed.slice(0, 20)}@PAXP193MB1234.EURP193.PROD.OUTLOOK.COM>`,
  ],
  exchange: ({ seed, domain }) => [
    `Thread-Topic: ${seed.slice(0, 6)}`,
    'x-originating-ip: [10.20.30.40]',
    'X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply',
    `Message-ID: <${seed.slice(0, 32)}@SRV-EXCH01.${domain.split('.')[0]}.local>`,
  ],
  desktop: ({ seed, domain }) => [
    'X-Mailer: Microsoft Outlook 16.0',
    'Content-Language: fr',
    `Thread-Index: Ad${seed.slice(0, 26)}==`,
    `Message-ID: <000001d9${seed.slice(0, 4)}$${seed.slice(4, 12)}$${seed.slice(12, 20)}$@${domain}>`,
  ],
  apple: ({ seed, domain }) => [
    'X-Mailer: Apple Mail (2.3774.600.62)',
    `Message-ID: <${seed.slice(0, 8).toUpperCase()}-1A2B-4C3D-9E8F-${seed.slice(8, 20).toUpperCase()}@${domain}>`,
  ],
  iphone: ({ seed, domain }) => [
    'X-Mailer: iPhone Mail (21F90)',
    `Message-ID: <${seed.slice(0, 8).toUpperCase()}-AA11-4B22-8C33-${seed.slice(8, 20).toUpperCase()}@${domain}>`,
  ],
  thunderbird: ({ seed, domain }) => [
    'User-Agent: Mozilla Thunderbird',
    'Content-Language: fr',
    `Message-ID: <${seed.slice(0, 8)}-${seed.slice(8, 12)}-4abc-9def-${seed.slice(12, 24)}@${domain}>`,
  ],
  orange: ({ seed, from }) => [
    'X-ME-Helo: wwinf1c12',
    `X-ME-Auth: ${Buffer.from(from).toString('base64')}`,
    'X-ME-IP: 90.12.34.56',
    'X-Mailer: Orange Webmail',
    'X-WUM-FROM: |~|',
    'X-WUM-REPLYTO: |~|',
    `Message-ID: <${Number.parseInt(seed.slice(0, 6), 16)}.1234.1700000000000.JavaMail.www@wwinf1c12>`,
  ],
  sfr: ({ seed }) => [
    'X-sfr-mailing: LEGIT',
    'X-sfr-spamrating: 40.00',
    'X-sfr-spam: not-spam',
    'X-Mailer: SFR Mail',
    `Message-ID: <${seed.slice(0, 20)}@msfr-wbm12.sfr.fr>`,
  ],
  free: ({ seed }) => [
    'X-Originating-IP: [82.64.12.34]',
    'X-Mailer: Zimbra 7.2.0-GA2598 (ZimbraWebClient - FF3.0 (Win)/7.2.0-GA2598)',
    `Message-ID: <${Number.parseInt(seed.slice(0, 7), 16)}.${seed.slice(7, 15)}.JavaMail.root@zimbra20-e3.priv.proxad.net>`,
  ],
  laposte: ({ seed }) => [
    'X-Mailer: Open-Xchange Mailer v7.10.6',
    'X-Priority: 3',
    'Importance: Normal',
    'X-VR-FullState: 0',
    `Message-ID: <${seed.slice(0, 16)}.laposte@laposte.net>`,
  ],
  roundcube: ({ seed, from, domain }) => [
    'User-Agent: Roundcube Webmail/1.4.15',
    `X-Sender: ${from}`,
    `Message-ID: <${seed.slice(0, 32)}@${domain}>`,
    `X-Ovh-Tracer-Id: ${Number.parseInt(seed.slice(0, 12), 16)}`,
  ],
  yahoo: ({ seed }) => [
    'X-Mailer: WebService/1.1.22876 YMailNovation',
    `X-YMail-OSG: ${seed.slice(0, 30)}`,
    `Message-ID: <${Number.parseInt(seed.slice(0, 8), 16)}.1234567.1700000000000@mail.yahoo.com>`,
  ],
  proton: ({ seed }) => [
    `Feedback-ID: ${Number.parseInt(seed.slice(0, 6), 16)}:user:proton`,
    `X-Pm-Message-ID: ${seed.slice(0, 32)}`,
    `Message-ID: <${seed.slice(0, 40)}=@protonmail.com>`,
  ],
  gmx: ({ seed }) => [
    'UI-OutboundReport: notjunk:1;M01:P0:x',
    'Importance: normal',
    'Sensitivity: Normal',
    'X-Priority: 3',
    `Message-ID: <trinity-${seed.slice(0, 8)}-1700000000000@3c-app-gmx-bs22>`,
  ],
};

export function headersOfProgram(name: string, facts: MailFacts): string[] {
  const program = PROGRAMS[name];
  if (!program) throw new Error(`No mail program is called ${name}.`);
  return program(facts);
}
