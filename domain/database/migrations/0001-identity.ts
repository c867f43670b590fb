// Users, passwords, sessions and organisations, as the auth library (better-auth) lays them out. They stand in a schema
// of their own and carry no tenant: they answer before one is known.
import { Migration } from '@mikro-orm/migrations';

export class Identity extends Migration {
  override up(): void {
    this.addSql(`
      create schema auth;

      create table auth."user" (
        "id" uuid primary key default gen_random_uuid(),
        "name" text not null,
        "email" text not null unique,
        "emailVerified" boolean not null,
        "image" text,
        "createdAt" timestamptz not null default current_timestamp,
        "updatedAt" timestamptz not null default current_timestamp
      );

      create table auth."session" (
        "id" uuid primary key default gen_random_uuid(),
        "expiresAt" timestamptz not null,
        "token" text not null unique,
        "createdAt" timestamptz not null default current_timestamp,
        "updatedAt" timestamptz not null,
        "ipAddress" text,
        "userAgent" text,
        "userId" uuid not null references auth."user" ("id") on delete cascade,
        "activeOrganizationId" text
      );
      create index "session_userId_idx" on auth."session" ("userId");

      create table auth."account" (
        "id" uuid primary key default gen_random_uuid(),
        "accountId" text not null,
        "providerId" text not null,
        "userId" uuid not null references auth."user" ("id") on delete cascade,
        "accessToken" text,
        "refreshToken" text,
        "idToken" text,
        "accessTokenExpiresAt" timestamptz,
        "refreshTokenExpiresAt" timestamptz,
        "scope" text,
        "password" text,
        "createdAt" timestamptz not null default current_timestamp,
        "updatedAt" timestamptz not null
      );
      create index "account_userId_idx" on auth."account" ("userId");

      create table auth."verification" (
        "id" uuid primary key default gen_random_uuid(),
        "identifier" text not null,
        "value" text not null,
        "expiresAt" timestamptz not null,
        "createdAt" timestamptz not null default current_timestamp,
        "updatedAt" timestamptz not null default current_timestamp
      );
      create index "verification_identifier_idx" on auth."verification" ("identifier");

      create table auth."organization" (
        "id" uuid primary key default gen_random_uuid(),
        "name" text not null,
        "slug" text not null unique,
        "logo" text,
        "createdAt" timestamptz not null,
        "metadata" text
      );

      create table auth."member" (
        "id" uuid primary key default gen_random_uuid(),
        "organizationId" uuid not null references auth."organization" ("id") on delete cascade,
        "userId" uuid not null references auth."user" ("id") on delete cascade,
        "role" text not null,
        "createdAt" timestamptz not null
      );
      create index "member_organizationId_idx" on auth."member" ("organizationId");
      create index "member_userId_idx" on auth."member" ("userId");

      create table auth."invitation" (
        "id" uuid primary key default gen_random_uuid(),
        "organizationId" uuid not null references auth."organization" ("id") on delete cascade,
        "email" text not null,
        "role" text,
        "status" text not null,
        "expiresAt" timestamptz not null,
        "createdAt" timestamptz not null default current_timestamp,
        "inviterId" uuid not null references auth."user" ("id") on delete cascade
      );
      create index "invitation_organizationId_idx" on auth."invitation" ("organizationId");
      create index "invitation_email_idx" on auth."invitation" ("email");

      create table auth."rateLimit" (
        "id" uuid primary key default gen_random_uuid(),
        "key" text not null unique,
        "count" integer not null,
        "lastRequest" bigint not null
      );
    `);
  }
}
