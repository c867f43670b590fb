// What is typed to connect a number or to change one. Secrets are only ever typed: an empty one keeps what is stored.
import type { Asked, IntegrationView } from '#lib/api.ts';

export type Algorithm = NonNullable<IntegrationView['number']>['signatureAlgorithm'];

export class NumberForm {
  channel = $state<'sms' | 'whatsapp'>('sms');
  number = $state('');
  name = $state('');
  apiKey = $state('');
  apiSecret = $state('');
  applicationId = $state('');
  privateKey = $state('');
  signatureSecret = $state('');
  signatureAlgorithm = $state<Algorithm>('sha256');
  threadWindowDays = $state<number>(7);

  /** Begins with what is stored, which holds no secret. */
  show({ channel, name, address, number }: IntegrationView): void {
    if (!number) return;
    this.channel = channel === 'whatsapp' ? 'whatsapp' : 'sms';
    this.number = address;
    this.name = name;
    this.apiKey = number.apiKey;
    this.applicationId = number.applicationId ?? '';
    this.signatureAlgorithm = number.signatureAlgorithm;
    this.threadWindowDays = number.threadWindowDays;
    this.apiSecret = '';
    this.privateKey = '';
    this.signatureSecret = '';
  }

  isChangeOf({ name, number }: IntegrationView): boolean {
    return (
      name !== this.name ||
      number?.apiKey !== this.apiKey ||
      (number.applicationId ?? '') !== this.applicationId ||
      number.signatureAlgorithm !== this.signatureAlgorithm ||
      number.threadWindowDays !== this.threadWindowDays ||
      [this.apiSecret, this.privateKey, this.signatureSecret].some((secret) => secret !== '')
    );
  }

  toConnect(): Asked<'connectNumber'>['body'] {
    const { channel, number, signatureSecret } = this;
    return { ...this.toChange(), channel, number, signatureSecret };
  }

  toChange() {
    const { name, apiKey, apiSecret, privateKey, signatureSecret, signatureAlgorithm, threadWindowDays } = this;
    return {
      name,
      apiKey,
      applicationId: this.applicationId.trim() || null,
      signatureAlgorithm,
      threadWindowDays,
      ...(apiSecret ? { apiSecret } : {}),
      ...(privateKey ? { privateKey } : {}),
      ...(signatureSecret ? { signatureSecret } : {}),
    };
  }
}
