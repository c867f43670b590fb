// The messages of the benchmark, and how a sender signs them.
import { signWebhook } from '#domain/integrations/webhook-signature.ts';

/** Each is of a client of its own: it makes a client, a conversation and a message. */
export function messageBody(number: number | string): string {
  return JSON.stringify({
    from: { email: `camille.${number}@example.com`, name: 'Camille Martin' },
    subject: `Ma commande ${number}`,
    text: [
      'Bonjour,',
      `J'ai passé la commande #${number} la semaine dernière et je n'ai toujours rien reçu. Pouvez-vous me dire où elle est ?`,
      "Merci d'avance,\nCamille Martin",
    ].join('\n\n'),
  });
}

export function signedHeaders(secret: string, body: string, idempotencyKey: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    'idempotency-key': idempotencyKey,
    'relais-signature': signWebhook(secret, body, Math.floor(Date.now() / 1000)),
  };
}
