// Clients had the text "{}" for their attributes, where an object was meant.
import { Migration } from '@mikro-orm/migrations';

export class ClientAttributes extends Migration {
  override up(): void {
    this.addSql(`
      update client set attributes = (attributes #>> '{}')::jsonb where jsonb_typeof(attributes) = 'string';
      alter table client alter column attributes drop default;
      alter table client add constraint client_attributes_check check (jsonb_typeof(attributes) = 'object');
    `);
  }
}
