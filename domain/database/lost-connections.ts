// What a pool does when the server ends a connection that somebody holds, as it does when it is killed.
import type { Pool, PoolClient } from 'pg';

/**
 * A lost connection leaves the pool at once, and takes the process down no more than the query it interrupts.
 *
 * Without this the pool runs dry after a few outages and every later question waits for ever: a transaction whose
 * rollback fails, because its connection is gone, never gives it back (kysely, ControlledTransaction).
 */
export function letGoOfLostConnections(pool: Pool): void {
  const held = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => held.delete(client));
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    // While a connection is held nobody listens to it, and an error nobody listens to ends the process.
    client.on('error', () => {});
    client.once('end', () => {
      if (!held.has(client)) return;
      client.release(true);
      // Who holds it may still give it back.
      client.release = () => {};
    });
  });
}
