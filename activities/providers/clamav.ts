// Asks clamd about a file, by its INSTREAM command (clamd(8)): chunks with their length in front, an empty one at the end,
// one line back. A connection is one question.
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { later } from '../failures.ts';

export type Scanned = { outcome: 'clean' } | { outcome: 'infected'; signature: string } | { outcome: 'refused' };

const LONGEST_ANSWER = 1_000;
const BROKEN_ATTEMPTS = 5;
const SILENT_FOR_MS = 120_000;

/**
 * @param attempt Temporal's count, from 1
 * @throws ApplicationFailure to be tried again while clamd is away
 */
export async function scan(scanner: NetConnectOpts, content: AsyncIterable<Buffer>, attempt: number): Promise<Scanned> {
  const socket = connect(scanner);
  let wasThere = false;
  socket.once('connect', () => {
    wasThere = true;
  });
  socket.setTimeout(SILENT_FOR_MS, () => socket.destroy(new Error('clamd is silent')));
  // Refused in the middle of a file, clamd answers first and then hangs up: the answer counts, not the broken pipe.
  const answer = answerOf(socket);
  const sent = await send(socket, content).then(
    () => null,
    (error: Error) => error,
  );
  if (sent && !socket.errored) socket.destroy();
  const said = await answer;
  socket.destroy();
  if (said !== '') return meaningOf(said);
  if (sent && !socket.errored) throw sent;
  // The reset of a hasty hang-up can overtake the answer: a file that breaks the connection every time is too large.
  if (wasThere && attempt >= BROKEN_ATTEMPTS) return { outcome: 'refused' };
  throw later('scanner-unreachable', 'The virus scanner did not answer.');
}

// What came before a broken connection counts: clamd hangs up on a file that is too large.
function answerOf(socket: Socket): Promise<string> {
  let answer = '';
  return new Promise((resolve) => {
    const done = () => resolve(answer.replace(/\0.*/s, '').trim());
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (answer.length > LONGEST_ANSWER || answer.includes('\0')) done();
    });
    socket.once('error', () => {});
    socket.once('close', done);
  });
}

async function send(socket: Socket, content: AsyncIterable<Buffer>): Promise<void> {
  await write(socket, Buffer.from('zINSTREAM\0'));
  for await (const chunk of content) {
    await write(socket, lengthOf(chunk.length));
    await write(socket, chunk);
  }
  await write(socket, lengthOf(0));
}

function write(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

function meaningOf(answer: string): Scanned {
  if (/^stream: OK$/.test(answer)) return { outcome: 'clean' };
  const signature = /^stream: (.+) FOUND$/.exec(answer)?.[1];
  return signature ? { outcome: 'infected', signature: signature.slice(0, 200) } : refusal(answer);
}

// Only its size is a fault of the file; clamd that is loading, or out of memory, is asked again.
function refusal(answer: string): Scanned {
  if (/size limit exceeded/i.test(answer)) return { outcome: 'refused' };
  throw later('scanner-unreachable', 'The virus scanner could not look at a file for now.');
}
