// Answers by hand on the road: a client has written by mail, an agent answers, and the test follows the reply's row.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { answers } from '#api/contract/answers.ts';
import type { Call } from '#api/contract/route.ts';
import { Message } from '#domain/conversations/message.ts';
import { Reply } from '#domain/conversations/reply.ts';
import { mail } from './mails.ts';
import type { Company, Person, Road } from './road.ts';
import { until } from './until.ts';

type Asked = NonNullable<Call<typeof answers.writeReply>['body']>;

export class Answers {
  readonly #road: Road;
  readonly #company: Company;
  readonly #mailbox: string;
  readonly #name: string;
  #clients = 0;

  constructor(road: Road, company: Company, mailbox: string, clientName = 'camille') {
    this.#road = road;
    this.#company = company;
    this.#mailbox = mailbox;
    this.#name = clientName;
  }

  /** A client nobody knew writes. */
  async question(): Promise<{ from: string; conversationId: string }> {
    this.#clients += 1;
    const from = `${this.#name}${this.#clients}@example.com`;
    const raw = mail({ from, subject: `Question ${this.#clients}` });
    const receiptId = await this.#road.receiveMail(this.#company, this.#mailbox, raw);
    await this.#road.runOf(this.#company, receiptId);
    const { conversationId } = await this.#inTenant((em) => em.findOneOrFail(Message, { receiptId }));
    return { from, conversationId };
  }

  async write(agent: Person, asked: Partial<Asked> = {}) {
    const { from, conversationId } = await this.question();
    const body = { text: 'Bonjour Camille.', ...asked };
    const written = await agent.api.writeReply({ params: { id: conversationId }, body });
    return {
      from,
      conversationId,
      mails: () => this.#road.sink.to(from),
      ...this.follow(written.id),
    };
  }

  follow(replyId: string) {
    const row = () => this.#inTenant((em) => em.findOneOrFail(Reply, { id: replyId }));
    const inState = (state: Reply['state'], withinMs?: number) =>
      until(
        `the reply is ${state}`,
        async () => {
          const now = await row();
          return now.state === state && now;
        },
        withinMs,
      );
    return { replyId, row, inState };
  }

  #inTenant<Result>(work: (em: EntityManager) => Promise<Result>): Promise<Result> {
    return this.#road.db.database.inTenant(this.#company.tenantId, work);
  }
}
