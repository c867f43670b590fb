// The example on the settings page: a shell command that signs and sends, and the same call made by the button.
import { signWebhook } from '#domain/integrations/webhook-signature.ts';

export function webhookUrl(publicUrl: string, integrationId: string): string {
  return `${publicUrl}/inbox/webhooks/custom/${integrationId}`;
}

function exampleBody(): string {
  return JSON.stringify({
    from: { email: 'camille@example.com', name: 'Camille Martin' },
    subject: 'Où est ma commande ?',
    text: 'Bonjour, où est ma commande #12345 ?',
  });
}

export function callExample(publicUrl: string, integrationId: string, secret: string): { curl: string; body: string } {
  const body = exampleBody();
  const curl = [
    `SECRET='${secret}'`,
    `BODY='${body}'`,
    `T=$(date +%s)`,
    `SIGNATURE=$(printf '%s.%s' "$T" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)`,
    `curl -i '${webhookUrl(publicUrl, integrationId)}' \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -H "Relais-Signature: t=$T,v1=$SIGNATURE" \\`,
    `  -H "Idempotency-Key: example-$T" \\`,
    `  --data-raw "$BODY"`,
  ].join('\n');
  return { curl, body };
}

const ANSWER_WITHIN_MS = 10_000;

/** Our own door, by its public address: what works here works for the sender. */
export async function callThroughDoor(
  publicUrl: string,
  integrationId: string,
  secret: string,
): Promise<{ status: number; answer: string }> {
  const body = exampleBody();
  const now = Math.floor(Date.now() / 1000);
  try {
    const response = await fetch(webhookUrl(publicUrl, integrationId), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'relais-signature': signWebhook(secret, body, now),
        'idempotency-key': `test-${Date.now()}`,
      },
      body,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    return { status: response.status, answer: (await response.text()).slice(0, 1_000) };
  } catch (error) {
    return {
      status: 0,
      answer: `The address ${publicUrl} could not be reached from here: ${(error as Error).message}`,
    };
  }
}
