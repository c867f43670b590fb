// The demo's company, made as a person would make it: through the API, its mailbox tried before it is connected.
import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, createClient } from '#api/contract/client.ts';
import { contract, type RelaisContract } from '#api/contract/contract.ts';
import { StartProblem } from '../house/progress.ts';
import type { DemoMailServer } from './mail-server.ts';
import type { DemoTelephone } from './telephone.ts';
import { ARTICLES, FOLDERS, HANDWRITTEN, PROMPT } from './words.ts';

export const DEMO_OWNER = {
  company: 'Atelier Lavande',
  name: 'Maya Roche',
  email: 'maya@atelier-lavande.example',
  password: 'lavande-en-fleur',
} as const;

const READ_EVERY_SECONDS = 10;
const PATIENCE_MS = 60_000;
const A_WEEK_MS = 8 * 24 * 3600_000;

export class DemoCompany {
  readonly #url: string;
  readonly #server: DemoMailServer;
  readonly #telephone: DemoTelephone;
  readonly #api: ApiClient<RelaisContract>;
  #cookie = '';

  constructor(url: string, server: DemoMailServer, telephone: DemoTelephone) {
    this.#url = url;
    this.#server = server;
    this.#telephone = telephone;
    this.#api = createClient(contract, { baseUrl: url, headers: () => ({ cookie: this.#cookie, origin: url }) });
  }

  async isMissing(): Promise<boolean> {
    return (await this.#api.getWelcome()).open;
  }

  async make(setupToken: string): Promise<void> {
    await this.#api.welcome({ body: { ...DEMO_OWNER, token: setupToken, locale: 'fr' } });
    await this.#signIn();
    await this.#api.changeAnswering({ body: { prompt: PROMPT } });
    for (const article of ARTICLES) await this.#api.createArticle({ body: article });
    for (const folder of FOLDERS) await this.#api.createFolder({ body: folder });
  }

  async connectMailbox(): Promise<void> {
    const { address, password, imapPort, smtpPort } = this.#server;
    const server = { host: '127.0.0.1', security: 'none' as const, username: address };
    const trial = await this.#api.tryMailbox({
      body: { address, password, imap: { ...server, port: imapPort }, smtp: { ...server, port: smtpPort } },
    });
    const tried = await eventually('The demo mailbox was not tried', async () => {
      const now = await this.#api.getMailboxTrial({ params: { id: trial.id } });
      return now.state !== 'running' && now;
    });
    if (tried.state === 'failed') {
      throw new StartProblem(
        `The demo mailbox could not be read: ${tried.problems.map(({ code }) => code).join(', ')}.`,
      );
    }
    await this.#api.connectMailbox({
      body: {
        trialId: trial.id,
        name: 'Boîte principale',
        senderName: DEMO_OWNER.company,
        since: new Date(Date.now() - A_WEEK_MS).toISOString().slice(0, 10),
        syncEverySeconds: READ_EVERY_SECONDS,
      },
    });
    await eventually('The mails of the week did not arrive', async () => {
      const { items } = await this.#api.listConversations({ query: { place: 'all', limit: 100 } });
      const sorted = items.filter((item) => item.folderId !== null);
      return sorted.length >= HANDWRITTEN.length && items.length >= tried.total - 2;
    });
  }

  async connectNumber(): Promise<void> {
    const { number, apiKey, apiSecret, signatureSecret } = this.#telephone;
    const body = { channel: 'sms' as const, name: 'SMS', number, apiKey, apiSecret, signatureSecret };
    await this.#api.connectNumber({ body });
  }

  /** What the agents have done with some of the week's conversations. */
  async answerSome(): Promise<void> {
    const { items } = await this.#api.listConversations({ query: { place: 'all', limit: 100 } });
    const me = await this.#api.getMe();
    for (const { subject, text, afterwards } of HANDWRITTEN) {
      const row = items.find((item) => item.subject === subject);
      if (!row) continue;
      const params = { id: row.id };
      await this.#api.assignConversation({ params, body: { userId: me.user.id } });
      await this.#api.writeReply({ params, body: { text } });
      await this.#api.readConversation({ params, body: { read: true } });
      if (afterwards === 'resolve') await this.#api.changeStatus({ params, body: { status: 'resolved' } });
      if (afterwards === 'remind') {
        const dueAt = new Date(Date.now() + 2 * 24 * 3600_000).toISOString();
        await this.#api.addFollowUp({ params, body: { mode: 'remind', dueAt } });
      }
    }
  }

  async #signIn(): Promise<void> {
    const { email, password } = DEMO_OWNER;
    const answer = await fetch(`${this.#url}/inbox/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.#url },
      body: JSON.stringify({ email, password }),
    });
    if (!answer.ok) throw new StartProblem(`The demo's owner could not sign in: the API answered ${answer.status}.`);
    this.#cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
  }
}

async function eventually<Value>(problem: string, look: () => Promise<Value | false>): Promise<Value> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > until) throw new StartProblem(`${problem} within ${PATIENCE_MS / 1000} s: see the logs.`);
    await delay(200);
  }
}
