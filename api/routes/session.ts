// Who is here: the first visit, the signed-in person, the people of the company.
import { timingSafeEqual } from 'node:crypto';
import { Conflict, Forbidden } from '#domain/errors.ts';
import { Tenant } from '#domain/tenancy/tenant.ts';
import { SHORTEST_PASSWORD, type session } from '../contract/settings.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import { createCompany } from '../people/create-company.ts';
import { companyUsers } from '../views/users.ts';

export function sessionRoutes(dependencies: ApiDependencies): Handlers<typeof session> {
  const { database, identity, setupToken, undoMs } = dependencies;

  async function isOpen(): Promise<boolean> {
    if (!setupToken) return false;
    const { rows } = await identity.query<{ empty: boolean }>('select not exists (select from "user") as empty');
    return rows[0]?.empty === true;
  }

  return {
    getWelcome: async () => ({ open: await isOpen(), shortestPassword: SHORTEST_PASSWORD }),

    welcome: async ({ body }) => {
      if (!(await isOpen()))
        throw new Conflict('welcome.over', 'This installation has its first account already: sign in.');
      if (!sameText(body.token, setupToken ?? '')) {
        throw new Forbidden(
          'welcome.wrong-link',
          'This is not the link that was printed at the first start: copy it from there.',
        );
      }
      return { tenantId: await createCompany(dependencies, { ...body, onlyFirst: true }) };
    },

    getMe: async ({ principal }) => {
      const tenant = await database.inTenant(principal.tenantId, (em) =>
        em.findOneOrFail(Tenant, { id: principal.tenantId }),
      );
      const { userId: id, name, email, role } = principal;
      return {
        user: { id, name, email },
        tenant: { id: tenant.id, name: tenant.name, locale: tenant.locale, timeZone: tenant.businessHours.timeZone },
        role,
        undoMs,
      };
    },

    listUsers: async ({ principal }) => ({ users: await companyUsers(identity, principal.tenantId) }),
  };
}

function sameText(given: string, expected: string): boolean {
  const one = Buffer.from(given);
  const other = Buffer.from(expected);
  return one.length === other.length && timingSafeEqual(one, other);
}
