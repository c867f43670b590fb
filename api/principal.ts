// Who calls: a signed-in person, the company they work for at this moment, and their role in it.
import { fromNodeHeaders } from 'better-auth/node';
import type { Request } from 'express';
import { Forbidden } from '#domain/errors.ts';
import type { Actor } from '#domain/people/actor.ts';
import { isRole, type Role } from '#domain/people/role.ts';
import type { ApiDependencies } from './dependencies.ts';
import { NotSignedIn } from './refusals.ts';

export type Principal = {
  userId: string;
  name: string;
  email: string;
  tenantId: string;
  role: Role;
  /** For the audit trail: the person, and where they called from. */
  actor: Actor;
};

type Membership = { tenant_id: string; role: string };

/** @throws NotSignedIn, Forbidden for somebody who belongs to no company */
export async function principalOf(
  { signIn, identity }: Pick<ApiDependencies, 'signIn' | 'identity'>,
  request: Request,
): Promise<Principal> {
  const session = await signIn.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (!session) throw new NotSignedIn();
  const { user } = session;
  const active = (session.session as { activeOrganizationId?: string | null }).activeOrganizationId ?? null;
  const { rows } = await identity.query<Membership>(
    `select "organizationId" as tenant_id, role from member
      where "userId" = $1 and ($2::uuid is null or "organizationId" = $2::uuid) order by "createdAt" limit 1`,
    [user.id, active],
  );
  const [membership] = rows;
  if (!membership || !isRole(membership.role)) {
    throw new Forbidden(
      'membership.missing',
      'You belong to no company here: ask an admin of yours for an invitation.',
    );
  }
  return {
    userId: user.id,
    name: user.name,
    email: user.email,
    tenantId: membership.tenant_id,
    role: membership.role,
    actor: { kind: 'person', id: user.id, ip: request.ip ?? null, userAgent: request.get('user-agent') ?? null },
  };
}
