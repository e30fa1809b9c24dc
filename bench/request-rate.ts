import { connect } from 'node:net';
import { time } from './measure.ts';

const connections = 8;
const success = Buffer.from('HTTP/1.1 200');

/**
 * GET requests a second over a unix socket, eight connections kept busy. The client reads only where an answer ends,
 * so that it is the engine that is measured.
 */
export async function requestRate(socketPath: string, path: string, count: number): Promise<number> {
  const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
  const each = Math.ceil(count / connections);
  const elapsed = await time(() =>
    Promise.all(Array.from({ length: connections }, () => ask(socketPath, request, each))),
  );
  return (each * connections) / (elapsed / 1000);
}

function ask(socketPath: string, request: string, count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const socket = connect(socketPath);
  let left = count;
  let answer: Buffer = Buffer.alloc(0);
  socket.on('connect', () => socket.write(request));
  socket.on('data', (data: Buffer) => {
    answer = answer.length === 0 ? data : Buffer.concat([answer, data]);
    if (answer.length >= success.length && !answer.subarray(0, success.length).equals(success)) {
      socket.destroy(new Error(answer.toString('latin1')));
      return;
    }
    if (!isWhole(answer)) return;
    answer = Buffer.alloc(0);
    left -= 1;
    if (left > 0) socket.write(request);
    else socket.end();
  });
  socket.on('error', reject);
  socket.on('close', () => (left === 0 ? resolve(undefined) : reject(new Error('the connection was cut'))));
  return promise;
}

function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = answer.toString('latin1', 0, end);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (length !== undefined) return answer.length === end + 4 + Number(length);
  return answer.toString('latin1', answer.length - 5) === '0\r\n\r\n';
}
