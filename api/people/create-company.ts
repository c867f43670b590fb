// Makes a company with its owner, and people in it. Used by the first visit and by the command line.
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Database } from '#domain/database/orm.ts';
import { Conflict } from '#domain/errors.ts';
import type { Role } from '#domain/people/role.ts';
import { audit } from '#domain/record/audit-event.ts';
import type { Locale } from '#domain/rules/words.ts';
import { DEFAULT_BUSINESS_HOURS, Tenant } from '#domain/tenancy/tenant.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { SignIn } from '../sign-in.ts';

type People = { database: Database; identity: pg.Pool; signIn: SignIn };

export type NewUser = { name: string; email: string; password: string };

/** @returns the id of the company */
export async function createCompany(
  people: People,
  company: NewUser & { company: string; locale: Locale },
): Promise<string> {
  const tenantId = newId();
  const slug = `${company.company
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)}-${randomUUID().slice(0, 6)}`;
  await people.identity.query('insert into organization (id, name, slug, "createdAt") values ($1, $2, $3, now())', [
    tenantId,
    company.company,
    slug,
  ]);
  const ownerId = await createUser(people, tenantId, 'owner', company);
  await people.database.inTenant(tenantId, async (em) => {
    em.create(Tenant, {
      id: tenantId,
      tenantId,
      name: company.company,
      locale: company.locale,
      businessHours: DEFAULT_BUSINESS_HOURS,
    });
    audit(em, { kind: 'person', id: ownerId }, { action: 'tenant.created', subject: { kind: 'tenant', id: tenantId } });
  });
  return tenantId;
}

/** @throws Conflict when the address has an account already */
export async function createUser(people: People, tenantId: string, role: Role, user: NewUser): Promise<string> {
  const context = await people.signIn.$context;
  const email = user.email.toLowerCase();
  if (await context.internalAdapter.findUserByEmail(email)) {
    throw new Conflict('user.exists', 'There is an account of this address already: sign in with it.');
  }
  const created = await context.internalAdapter.createUser(
    { name: user.name, email, emailVerified: true },
    { method: 'email-password' },
  );
  const password = await context.password.hash(user.password);
  await context.internalAdapter.linkAccount({
    userId: created.id,
    providerId: 'credential',
    accountId: created.id,
    password,
  });
  await people.identity.query(
    'insert into member ("organizationId", "userId", role, "createdAt") values ($1, $2, $3, now())',
    [tenantId, created.id, role],
  );
  return created.id;
}
