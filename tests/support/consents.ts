// Mailboxes connected by consent, as a person does it with a browser: to the provider, and back with its answer.
import type { OAuthProviderName } from '#domain/rules/words.ts';
import type { Company, Person, Road } from './road.ts';
import { until } from './until.ts';

export type Asking = { provider?: OAuthProviderName; address?: string; integrationId?: string };

export class Consents {
  readonly #road: Road;

  constructor(road: Road) {
    this.#road = road;
  }

  /** Goes to the provider; gives the address it sends the browser back to. */
  async ask(person: Person, { provider = 'google', ...asking }: Asking): Promise<{ trialId: string; back: string }> {
    const { trialId, url } = await person.api.requestConsent({ body: { provider, ...asking } });
    const page = await fetch(url, { redirect: 'manual' });
    return { trialId, back: page.headers.get('location')! };
  }

  /** Comes back; gives where the screens go on. */
  async comeBack(person: Person, back: string): Promise<{ status: number; location: string | null }> {
    const answer = await fetch(back, { redirect: 'manual', headers: { cookie: person.cookie } });
    return { status: answer.status, location: answer.headers.get('location') };
  }

  /** Consents, and waits for the trial of the mailbox. */
  async try(company: Company, asking: Asking) {
    const { trialId, back } = await this.ask(company.owner, asking);
    await this.comeBack(company.owner, back);
    return until(
      'the trial is over',
      async () => {
        const trial = await company.owner.api.getMailboxTrial({ params: { id: trialId } });
        return trial.state !== 'running' && trial;
      },
      40_000,
    );
  }

  /** @param syncEverySeconds so seldom that a test has the mailbox to itself, unless it says otherwise */
  async connect(company: Company, asking: Asking, syncEverySeconds = 86_400): Promise<string> {
    const trial = await this.try(company, asking);
    if (trial.state !== 'passed') throw new Error(`The trial failed: ${JSON.stringify(trial.problems)}`);
    const { id } = await company.owner.api.connectMailbox({
      body: { trialId: trial.id, name: trial.address, since: '2026-01-01', syncEverySeconds },
    });
    await until(`${trial.address} was looked at`, async () => {
      const { integrations } = await company.owner.api.listIntegrations();
      const row = integrations.find((one) => one.id === id);
      return row?.lastSuccessAt ?? row?.lastErrorAt;
    });
    return id;
  }

  async reconnect(company: Company, integrationId: string): Promise<void> {
    const trial = await this.try(company, { integrationId });
    if (trial.state !== 'passed') throw new Error(`The trial failed: ${JSON.stringify(trial.problems)}`);
    await company.owner.api.reconnectMailbox({ params: { id: integrationId }, body: { trialId: trial.id } });
    await until('what came meanwhile was fetched', async () => {
      const rows = await this.#road.db.owner.query(
        `select from sync where integration_id = $1 and state = 'running'
         union all select from integration where id = $1 and (last_success_at is null or last_error is not null)`,
        [integrationId],
      );
      return rows.rowCount === 0;
    });
  }
}
