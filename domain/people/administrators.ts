// Who runs a company's Relais, from the identity tables.
import type { Database } from '#domain/database/orm.ts';

/** The addresses of its admins and its owner. */
export async function administratorsOf(database: Database, tenantId: string): Promise<string[]> {
  const rows = await database.outsideTenants<{ email: string }>(
    `select "user".email from auth.member join auth."user" on "user".id = member."userId"
      where member."organizationId" = ? and member.role in ('admin', 'owner') order by "user".email`,
    [tenantId],
  );
  return rows.map(({ email }) => email);
}
