// `npm run demo`: Relais with an invented company, its mail of a week and its text messages, arriving through real doors.
// Nothing leaves this machine, and its data lies beside that of a real installation, never in it.
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { DEMO_OWNER, DemoCompany } from './demo/company.ts';
import { type DemoMail, DemoMailServer } from './demo/mail-server.ts';
import { liveMails, mailsOfTheWeek } from './demo/mails.ts';
import { DemoTelephone } from './demo/telephone.ts';
import { EARLIER_TEXT, LIVE_TEXT } from './demo/words.ts';
import { House } from './house/house.ts';
import { keepOpen } from './house/keep-open.ts';
import { say, step } from './house/progress.ts';

const FIRST_MESSAGE_AFTER_MS = 15_000;
const NEXT_MESSAGE_AFTER_MS = 45_000;

process.env.RELAIS_HOME ??= 'data/demo';

const server = await DemoMailServer.open();
const telephone = await DemoTelephone.open();

const deliverMails = liveMails.map((write) => async () => deliverMail(await write()));
/** The clients who write while one watches, a text message among them; each says what it has sent. */
const liveMessages = [...deliverMails.slice(0, 1), deliverText, ...deliverMails.slice(1)];

await keepOpen(
  () => new House({ MAIL_FROM: server.address, SMTP_URL: server.smtpUrl, VONAGE_URL: telephone.url }),
  async (house) => {
    const company = new DemoCompany(house.url, server, telephone);
    telephone.connect(house.url);
    if (await company.isMissing()) {
      server.deliver(await mailsOfTheWeek());
      await step('Making the company, its folders and its knowledge', () => company.make(house.secrets.setupToken));
      await step('Reading its mailbox: the mails of a week', () => company.connectMailbox());
      await step('Connecting its number for text messages', () => company.connectNumber());
      await telephone.deliver(EARLIER_TEXT);
      await step('Answering the first of them', () => company.answerSome());
    }
    say(`  Sign in as:     ${styleText('bold', DEMO_OWNER.email)}  ${styleText('bold', DEMO_OWNER.password)}`);
    say('  Watch the inbox: a new message is on its way, will be sorted, and its draft will wait for you.');
    await deliverMessages();
  },
);

async function deliverMessages(): Promise<void> {
  let waitMs = FIRST_MESSAGE_AFTER_MS;
  for (const deliver of liveMessages) {
    await delay(waitMs);
    say(styleText('dim', `  ${await deliver()}`));
    waitMs = NEXT_MESSAGE_AFTER_MS;
  }
}

async function deliverMail(mail: DemoMail): Promise<string> {
  server.deliver([mail]);
  return `A mail was sent to ${server.address}: ${mail.subject}`;
}

async function deliverText(): Promise<string> {
  await telephone.deliver(LIVE_TEXT);
  return `A text message was sent to ${telephone.number}: ${LIVE_TEXT.text}`;
}
