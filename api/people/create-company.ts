// Makes a company with its owner, and people in it. Used by the first visit and by the command line. Identity and company
// are written in one transaction: half a company would close the first visit for good.
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Database } from '#domain/database/orm.ts';
import { Conflict } from '#domain/errors.ts';
import type { Role } from '#domain/people/role.ts';
import { audit } from '#domain/record/audit-event.ts';
import type { Locale } from '#domain/rules/words.ts';
import { DEFAULT_BUSINESS_HOURS, Tenant } from '#domain/tenancy/tenant.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';
import type { SignIn } from '../sign-in.ts';

type People = { database: Database; signIn: SignIn };

export type NewUser = { name: string; email: string; password: string };
export type NewCompany = NewUser & {
  company: string;
  locale: Locale;
  /** Only when nobody has an account yet; of two who try at once one is refused. */
  onlyFirst?: boolean;
};

/**
 * @returns the id of the company
 * @throws Conflict when the address has an account already, or when it was to be the first account and is not
 */
export async function createCompany(people: People, company: NewCompany): Promise<string> {
  const tenantId = newId();
  const passwordHash = await hashOf(people, company.password);
  await people.database.inTenant(tenantId, async (em) => {
    if (company.onlyFirst) await claimFirstAccount(em);
    await em.execute(`insert into auth.organization (id, name, slug, "createdAt") values (?, ?, ?, now())`, [
      tenantId,
      company.company,
      slugOf(company.company, tenantId),
    ]);
    const ownerId = await addUser(em, tenantId, 'owner', company, passwordHash);
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
  const passwordHash = await hashOf(people, user.password);
  return people.database.inTenant(tenantId, (em) => addUser(em, tenantId, role, user, passwordHash));
}

async function hashOf({ signIn }: People, password: string): Promise<string> {
  return (await signIn.$context).password.hash(password);
}

async function claimFirstAccount(em: EntityManager): Promise<void> {
  await em.execute('lock table auth."user" in share row exclusive mode');
  const [row] = await em.execute<{ taken: boolean }[]>('select exists (select from auth."user") as taken');
  if (row?.taken) throw new Conflict('welcome.over', 'This installation has its first account already: sign in.');
}

// As the auth library lays its rows out: a user, an account of the provider `credential`, a membership.
async function addUser(
  em: EntityManager,
  tenantId: string,
  role: Role,
  user: NewUser,
  passwordHash: string,
): Promise<string> {
  const id = newId();
  const added = await em.execute<{ id: string }[]>(
    `insert into auth."user" (id, name, email, "emailVerified") values (?, ?, ?, true)
       on conflict (email) do nothing returning id`,
    [id, user.name, user.email.toLowerCase()],
  );
  if (added.length === 0) {
    throw new Conflict('user.exists', 'There is an account of this address already: sign in with it.');
  }
  await em.execute(
    `insert into auth.account (id, "accountId", "providerId", "userId", password, "updatedAt")
     values (?, ?, 'credential', ?, ?, now())`,
    [newId(), id, id, passwordHash],
  );
  await em.execute(
    `insert into auth.member (id, "organizationId", "userId", role, "createdAt") values (?, ?, ?, ?, now())`,
    [newId(), tenantId, id, role],
  );
  return id;
}

function slugOf(company: string, tenantId: string): string {
  const words = company
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40);
  return `${words}-${tenantId.slice(-12)}`;
}
