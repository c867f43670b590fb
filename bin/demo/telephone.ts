// The demo's telephone company: it hands the text messages of invented clients to Relais and takes those that are sent to
// them, signed and answered as Vonage does. It listens on this machine only and keeps nothing.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { signParameters } from '#domain/integrations/vonage-signature.ts';
import { needPort } from '../house/ports.ts';

export type DemoText = { from: string; text: string };

const NUMBER = '33757000001';
const ACCOUNT = 'demo';
const DELIVERED_AFTER_MS = 2_000;

export class DemoTelephone {
  readonly number = `+${NUMBER}`;
  readonly apiKey = ACCOUNT;
  readonly apiSecret = 'demo-secret';
  readonly signatureSecret = 'demo-signature-secret';
  readonly port = Number(process.env.DEMO_SMS_PORT ?? 25_180);
  readonly url = `http://127.0.0.1:${this.port}`;
  readonly #server = createServer((request, response) => void this.#take(request, response));
  #relais = '';

  /** @throws StartProblem when the port is taken */
  static async open(): Promise<DemoTelephone> {
    const telephone = new DemoTelephone();
    await needPort(telephone.port, "the demo's telephone company", 'DEMO_SMS_PORT');
    await new Promise<void>((resolve) => telephone.#server.listen(telephone.port, '127.0.0.1', resolve));
    return telephone;
  }

  /** @param url where Relais is, from now on */
  connect(url: string): void {
    this.#relais = url;
  }

  /** Hands one text message to Relais. @throws when it is not taken */
  async deliver({ from, text }: DemoText): Promise<void> {
    await this.#call('sms', { msisdn: from.replace('+', ''), to: NUMBER, messageId: randomUUID(), text, type: 'text' });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { to } = JSON.parse((await buffer(request)).toString()) as { to: string };
    const messageId = randomUUID();
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ message_uuid: messageId }));
    setTimeout(() => {
      // A receipt that Relais cannot take now is no loss: the message counts as sent.
      this.#call('sms/status', { msisdn: to, to: NUMBER, messageId, status: 'delivered' }).catch(() => {});
    }, DELIVERED_AFTER_MS);
  }

  async #call(door: string, parameters: Record<string, string>): Promise<void> {
    const all = {
      ...parameters,
      'api-key': ACCOUNT,
      timestamp: String(Math.floor(Date.now() / 1000)),
      nonce: randomUUID(),
    };
    const answer = await fetch(`${this.#relais}/inbox/webhooks/${door}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...all, sig: signParameters(all, this.signatureSecret, 'sha256') }),
    });
    if (!answer.ok) throw new Error(`Relais answered ${answer.status} to a text message.`);
  }
}
