// `npm run demo`: Relais with an invented company and its mail of a week, arriving through a real mailbox. Nothing
// leaves this machine, and its data lies beside that of a real installation, never in it.
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import { DEMO_OWNER, DemoCompany } from './demo/company.ts';
import { DemoMailServer } from './demo/mail-server.ts';
import { liveMails, mailsOfTheWeek } from './demo/mails.ts';
import { House } from './house/house.ts';
import { keepOpen } from './house/keep-open.ts';
import { say, step } from './house/progress.ts';

const FIRST_LIVE_MAIL_AFTER_MS = 15_000;
const NEXT_LIVE_MAIL_AFTER_MS = 45_000;

process.env.RELAIS_HOME ??= 'data/demo';

const server = await DemoMailServer.open();

await keepOpen(
  () => new House({ MAIL_FROM: server.address, SMTP_URL: server.smtpUrl }),
  async (house) => {
    const company = new DemoCompany(house.url, server);
    if (await company.isMissing()) {
      server.deliver(await mailsOfTheWeek());
      await step('Making the company, its folders and its knowledge', () => company.make(house.secrets.setupToken));
      await step('Reading its mailbox: the mails of a week', () => company.connectMailbox());
      await step('Answering the first of them', () => company.answerSome());
    }
    say(`  Sign in as:     ${styleText('bold', DEMO_OWNER.email)}  ${styleText('bold', DEMO_OWNER.password)}`);
    say('  Watch the inbox: a new mail is on its way, will be sorted, and its draft will wait for you.');
    await deliverLiveMails();
  },
);

async function deliverLiveMails(): Promise<void> {
  let waitMs = FIRST_LIVE_MAIL_AFTER_MS;
  for (const write of liveMails) {
    await delay(waitMs);
    const mail = await write();
    server.deliver([mail]);
    say(styleText('dim', `  A mail was sent to ${server.address}: ${mail.subject}`));
    waitMs = NEXT_LIVE_MAIL_AFTER_MS;
  }
}
