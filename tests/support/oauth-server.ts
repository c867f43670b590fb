// A stand-in for Google's and Microsoft's authorization servers. It speaks authorize and token as RFC 6749 and RFC 7636
// describe them, rotates refresh tokens, accepts the one before for a while, takes consent back, and fails on demand.
// Mail servers ask it whose token they were given (RFC 7662).
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { type OAuthProviders, oauthProvidersFrom, oauthSettings } from '#domain/integrations/oauth-provider.ts';

export const CLIENT = { id: 'relais-client', secret: 'relais-client-secret' };

type Code = {
  address: string;
  organisation: string | null;
  challenge: string;
  redirectUri: string;
  nonce: string;
  scope: string;
};

/** One consent: its refresh tokens, newest first. */
type Grant = { address: string; scope: string; refreshTokens: string[]; isRevoked: boolean };

export class OAuthServer {
  /** The account that consents when nobody names another. */
  account = '';
  /** What the person does at the consent page. */
  consents: 'all' | 'denied' | 'without-mail' = 'all';
  lifeSeconds = 3600;
  /** Whether the refresh token before the newest is still accepted, as real providers do for a while. */
  acceptsPrevious = true;
  /** Statuses that the next calls of the token endpoint are answered with. */
  readonly faults: number[] = [];
  /** The refresh tokens that were used, in order. */
  readonly used: string[] = [];
  /** Refresh tokens that came once more after their grace was over. */
  readonly replayed: string[] = [];
  /** Called before a renewal is answered. */
  onRenewed: () => Promise<void> = async () => {};
  readonly #codes = new Map<string, Code>();
  readonly #grants: Grant[] = [];
  readonly #accessTokens = new Map<string, Grant>();
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async open(): Promise<OAuthServer> {
    const oauth = new OAuthServer();
    await new Promise<void>((resolve) => oauth.#server.listen(0, '127.0.0.1', resolve));
    return oauth;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Settings of an installation that takes it for Google and for Microsoft. */
  settings(imapPort: number, smtpPort: number): Record<string, string> {
    const of = (name: string, url: string) => ({
      [`${name}_CLIENT_ID`]: CLIENT.id,
      [`${name}_CLIENT_SECRET`]: CLIENT.secret,
      [`${name}_ISSUER`]: url,
      [`${name}_AUTHORIZE_URL`]: `${url}/authorize`,
      [`${name}_TOKEN_URL`]: `${url}/token`,
      [`${name}_IMAP_URL`]: `imap://127.0.0.1:${imapPort}?security=none`,
      [`${name}_SMTP_URL`]: `smtp://127.0.0.1:${smtpPort}?security=none`,
    });
    return { ...of('GOOGLE', this.url), ...of('MICROSOFT', `${this.url}/{tenant}`) };
  }

  providers(imapPort: number, smtpPort: number): OAuthProviders {
    return oauthProvidersFrom(z.object(oauthSettings).parse(this.settings(imapPort, smtpPort)));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** A consent that was given before the test. */
  grant(address: string): { accessToken: string; refreshToken: string } {
    const grant: Grant = { address, scope: 'mail', refreshTokens: [secret()], isRevoked: false };
    this.#grants.push(grant);
    return { accessToken: this.#newAccessToken(grant), refreshToken: grant.refreshTokens[0]! };
  }

  /** The person takes consent back: nothing that was given for the mailbox holds any more. */
  revoke(address: string): void {
    for (const grant of this.#grants) if (grant.address === address) grant.isRevoked = true;
  }

  /** Mail servers refuse the access tokens that were given for the mailbox so far; refresh tokens hold. */
  forgetAccessTokens(address: string): void {
    for (const [token, grant] of this.#accessTokens) if (grant.address === address) this.#accessTokens.delete(token);
  }

  newestRefreshToken(address: string): string {
    return this.#grants.findLast((grant) => grant.address === address)!.refreshTokens[0]!;
  }

  isGood(address: string, accessToken: string): boolean {
    const grant = this.#accessTokens.get(accessToken);
    return grant !== undefined && !grant.isRevoked && grant.address === address;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    if (url.pathname.endsWith('/authorize')) return this.#authorize(url, response);
    if (url.pathname === '/introspect') return this.#introspect(request, response);
    const body = new URLSearchParams(await bodyOf(request));
    const fault = this.faults.shift();
    if (fault) return answer(response, fault, { error: fault >= 500 ? 'server_error' : 'slow_down' });
    if (body.get('client_id') !== CLIENT.id || body.get('client_secret') !== CLIENT.secret)
      return answer(response, 401, { error: 'invalid_client' });
    if (body.get('grant_type') === 'authorization_code') return this.#exchange(body, response);
    return this.#renew(body.get('refresh_token') ?? '', response);
  }

  #authorize({ pathname, searchParams: asked }: URL, response: ServerResponse): void {
    const back = new URL(asked.get('redirect_uri')!);
    back.searchParams.set('state', asked.get('state')!);
    if (this.consents === 'denied') {
      back.searchParams.set('error', 'access_denied');
    } else {
      const scopes = asked.get('scope')!.split(' ');
      const code = secret();
      this.#codes.set(code, {
        address: this.account || asked.get('login_hint')!,
        // Microsoft names the person's own organisation, whichever one was asked for.
        organisation: pathname === '/authorize' ? null : 'organisation-of-acme',
        challenge: asked.get('code_challenge')!,
        redirectUri: asked.get('redirect_uri')!,
        nonce: asked.get('nonce')!,
        scope: (this.consents === 'all' ? scopes : scopes.filter((scope) => !/^https:/.test(scope))).join(' '),
      });
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { location: back.href }).end();
  }

  #exchange(body: URLSearchParams, response: ServerResponse): void {
    const code = this.#codes.get(body.get('code') ?? '');
    this.#codes.delete(body.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    if (!code || code.challenge !== challenge || code.redirectUri !== body.get('redirect_uri')) {
      answer(response, 400, { error: 'invalid_grant' });
      return;
    }
    const grant: Grant = { address: code.address, scope: code.scope, refreshTokens: [secret()], isRevoked: false };
    this.#grants.push(grant);
    answer(response, 200, { ...this.#tokensOf(grant), id_token: this.#identity(code) });
  }

  async #renew(token: string, response: ServerResponse): Promise<void> {
    const grant = this.#grants.find(({ refreshTokens }) => refreshTokens.includes(token));
    this.used.push(token);
    if (!grant || grant.isRevoked) return answer(response, 400, { error: 'invalid_grant' });
    const age = grant.refreshTokens.indexOf(token);
    if (age > (this.acceptsPrevious ? 1 : 0)) {
      this.replayed.push(token);
      return answer(response, 400, { error: 'invalid_grant' });
    }
    grant.refreshTokens.unshift(secret());
    const tokens = this.#tokensOf(grant);
    await this.onRenewed();
    answer(response, 200, tokens);
  }

  #tokensOf(grant: Grant) {
    return {
      token_type: 'Bearer',
      access_token: this.#newAccessToken(grant),
      refresh_token: grant.refreshTokens[0],
      expires_in: this.lifeSeconds,
      scope: grant.scope,
    };
  }

  #newAccessToken(grant: Grant): string {
    const token = secret();
    this.#accessTokens.set(token, grant);
    return token;
  }

  #identity({ address, nonce, organisation }: Code): string {
    const now = Math.floor(Date.now() / 1000);
    const who = organisation
      ? { iss: `${this.url}/${organisation}`, tid: organisation, preferred_username: address }
      : { iss: this.url, email: address };
    const claims = { ...who, aud: CLIENT.id, sub: address, nonce, iat: now, exp: now + 600 };
    const text = [{ alg: 'RS256', typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${text}.${createSign('sha256').update(text).sign(this.#key, 'base64url')}`;
  }

  #introspect(request: IncomingMessage, response: ServerResponse): void {
    const grant = this.#accessTokens.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (grant && !grant.isRevoked) answer(response, 200, { active: 'true', email: grant.address });
    else answer(response, 401, { active: 'false' });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function secret(): string {
  return randomBytes(24).toString('base64url');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
