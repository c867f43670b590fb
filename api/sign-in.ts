// Identity: users, passwords, sessions and the organisations they belong to are the auth library's, in the schema
// `auth`. An organisation is a tenant: the two have one id. Everything here answers before a tenant is known.
import { hash, verify } from '@node-rs/argon2';
import { type BetterAuthOptions, betterAuth } from 'better-auth';
import { createAccessControl } from 'better-auth/plugins/access';
import { organization } from 'better-auth/plugins/organization';
import type pg from 'pg';
import { SHORTEST_PASSWORD } from './contract/settings.ts';

export type SignInConfig = {
  /** A pool whose search_path is the schema `auth`. */
  pool: pg.Pool;
  secret: string;
  /** The address people type, e.g. https://inbox.acme.test */
  publicUrl: string;
};

export const CLIENT_IP_HEADER = 'x-relais-client-ip';
export const AUTH_PATH = '/inbox/auth';
const SESSION_DAYS = 14;

// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// The library's own rights are not used: routes ask for a role (people/role.ts). It only has to know the four names.
const noRights = createAccessControl({ organization: [] } as const);
const nobody = noRights.newRole({ organization: [] });

export function signInOptions(config: SignInConfig) {
  return {
    appName: 'Relais',
    baseURL: config.publicUrl,
    basePath: AUTH_PATH,
    secret: config.secret,
    database: config.pool,
    trustedOrigins: [config.publicUrl],
    telemetry: { enabled: false },
    advanced: {
      database: { generateId: 'uuid' },
      // Set by our own middleware from what Express trusts; nobody outside can send it.
      ipAddress: { ipAddressHeaders: [CLIENT_IP_HEADER] },
      cookiePrefix: 'relais',
      useSecureCookies: config.publicUrl.startsWith('https:'),
    },
    session: { expiresIn: SESSION_DAYS * 24 * 3600, updateAge: 24 * 3600 },
    rateLimit: {
      enabled: true,
      storage: 'database',
      window: 60,
      max: 100,
      customRules: { '/sign-in/email': { window: 60, max: 10 } },
    },
    emailAndPassword: {
      enabled: true,
      // People are invited, or made by the first-visit link and the command line.
      disableSignUp: true,
      minPasswordLength: SHORTEST_PASSWORD,
      maxPasswordLength: 128,
      password: {
        hash: (password) => hash(password, ARGON2),
        verify: ({ hash: stored, password }) => verify(stored, password),
      },
    },
    plugins: [
      organization({
        allowUserToCreateOrganization: false,
        ac: noRights,
        roles: { owner: nobody, admin: nobody, agent: nobody, viewer: nobody },
      }),
    ],
  } satisfies BetterAuthOptions;
}

export type SignIn = ReturnType<typeof createSignIn>;

export function createSignIn(config: SignInConfig) {
  return betterAuth(signInOptions(config));
}
