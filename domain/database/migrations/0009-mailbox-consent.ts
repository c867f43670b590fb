// Mailboxes that are opened by consent: trials that wait for it, tokens that are renewed before they expire, and the one
// mail that tells admins when a mailbox waits for them.
import { Migration } from '@mikro-orm/migrations';

export class MailboxConsent extends Migration {
  override up(): void {
    this.addSql(`
      alter table trial drop constraint trial_state_check;
      alter table trial add constraint trial_state_check check (state in ('waiting', 'running', 'passed', 'failed'));
      alter table credential
        add column renew_at timestamptz(3) null,
        add column renewing_by uuid null,
        add column renewing_until timestamptz(3) null;
      alter table integration add column reconnect_told_at timestamptz(3) null;
    `);
  }
}
