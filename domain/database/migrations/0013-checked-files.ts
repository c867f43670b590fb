// Whether a file may be opened, and why not. Files of before were looked at by nobody: they say so, and open after a
// warning. And what an invitation or a business card says.
import { Migration } from '@mikro-orm/migrations';

export class CheckedFiles extends Migration {
  override up(): void {
    this.addSql(`
      alter table attachment
        add column verdict text not null default 'unchecked'
          constraint attachment_verdict_check check (verdict in ('clean', 'unchecked', 'blocked', 'infected')),
        add column verdict_reason varchar(40) null default 'before-checks',
        add column card jsonb null;
      alter table attachment alter column verdict_reason drop default;
    `);
  }
}
