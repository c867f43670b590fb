// The people of a company, from the identity tables.
import type pg from 'pg';
import type { Role } from '#domain/people/role.ts';

export type CompanyUser = { id: string; name: string; email: string; role: Role };

export async function companyUsers(identity: pg.Pool, tenantId: string): Promise<CompanyUser[]> {
  const { rows } = await identity.query<CompanyUser>(
    `select "user".id, "user".name, "user".email, member.role
       from member join "user" on "user".id = member."userId"
      where member."organizationId" = $1 order by "user".name`,
    [tenantId],
  );
  return rows;
}
