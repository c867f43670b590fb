// Open browsers hear of a company's new events: the word carries the tenant only, the listener reads what is new.
import { Migration } from '@mikro-orm/migrations';

export class Live extends Migration {
  override up(): void {
    this.addSql(`
      create function tell_event() returns trigger language plpgsql as $$
      begin
        perform pg_notify('relais_event', new.tenant_id::text);
        return null;
      end
      $$;
      create trigger tell_event after insert on event for each row execute function tell_event();
    `);
  }
}
