// Knocks at a door from a process of its own, on connections that stay open: every message another one, signed.
// Usage, as a child with a channel: knock.ts <KnockOrder as JSON>; it answers with what autocannon has counted.
import autocannon from 'autocannon';
import { messageBody, signedHeaders } from './messages.ts';

export type KnockOrder = { url: string; secret: string; seconds: number; connections: number };
export type Knocked = { accepted: number; failed: number; perSecond: number; p50: number; p99: number };

const order = JSON.parse(process.argv[2]!) as KnockOrder;
const prefix = `${process.pid}-${Date.now()}`;
let sent = 0;

process.once('disconnect', () => process.exit(0));

const counted = await autocannon({
  url: order.url,
  connections: order.connections,
  duration: order.seconds,
  requests: [
    {
      method: 'POST',
      setupRequest: (request) => {
        sent += 1;
        const body = messageBody(sent);
        return { ...request, body, headers: signedHeaders(order.secret, body, `${prefix}-${sent}`) };
      },
    },
  ],
});

const accepted = counted['2xx'];
process.send!({
  accepted,
  failed: counted.non2xx + counted.errors + counted.timeouts,
  perSecond: accepted / counted.duration,
  p50: counted.latency.p50,
  p99: counted.latency.p99,
} satisfies Knocked);
process.disconnect();
