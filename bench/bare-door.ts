// What the product's door is measured against: the same signature, one INSERT, a pool of the same size, nothing else.
import express from 'express';
import pg from 'pg';
import { verifyWebhook } from '#domain/integrations/webhook-signature.ts';
import { newId } from '#domain/tenancy/tenant-owned.ts';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.DATABASE_POOL_SIZE) });
const secret = process.env.BARE_SECRET!;

const server = express()
  .post('/', express.raw({ type: () => true, limit: '30mb' }), async (request, response) => {
    const verdict = verifyWebhook(
      request.get('relais-signature'),
      request.body,
      [secret],
      Math.floor(Date.now() / 1000),
    );
    if (verdict !== 'good') {
      response.status(401).json({ verdict });
      return;
    }
    await pool.query('insert into bare_receipt (id, source_id, raw) values ($1, $2, $3)', [
      newId(),
      request.get('idempotency-key'),
      request.body,
    ]);
    response.status(202).json({ status: 'accepted' });
  })
  .listen(Number(process.env.BARE_PORT), '127.0.0.1', () => process.send?.('ready'));

for (const end of ['SIGTERM', 'disconnect'] as const) {
  process.once(end, () => {
    server.closeAllConnections();
    process.exit(0);
  });
}
