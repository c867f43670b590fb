// A Temporal server of its own for each test file: the real one, keeping nothing.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { freePort } from '../../bin/house/ports.ts';
import { prepareTemporal } from '../../bin/house/temporal.ts';

// One line per worker and state is no news in a test.
Runtime.install({ logger: new DefaultLogger('ERROR') });

export type TestTemporal = {
  address: string;
  connection: NativeConnection;
  client: Client;
  close: () => Promise<void>;
};

export async function testTemporal(): Promise<TestTemporal> {
  const port = await freePort();
  const home = path.join(process.env.TEST_HOME!, `temporal-${port}`);
  for (const folder of ['logs', 'run']) mkdirSync(path.join(home, folder), { recursive: true });
  const server = prepareTemporal({ program: process.env.TEST_TEMPORAL!, home, port, uiPort: null, inMemory: true });
  await server.start();
  const address = `127.0.0.1:${port}`;
  const connection = await connectWhenReady(address);
  return {
    address,
    connection,
    client: new Client({ connection }),
    close: async () => {
      await connection.close();
      await server.stop();
    },
  };
}

// The port answers a moment before the namespace does.
async function connectWhenReady(address: string): Promise<NativeConnection> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const connection = await NativeConnection.connect({ address });
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      return connection;
    } catch (error) {
      if (attempt === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
