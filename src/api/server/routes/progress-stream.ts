import type { ProgressEvent } from '#images';
import type { Exchange } from '../exchange.ts';
import { viewFailure, viewProgress } from '../views/progress.ts';

/** Bytes of progress that may wait for a slow client. */
const maxBacklog = 1024 * 1024;

/**
 * Runs a transfer and streams its progress. The status is only sent with the first step, so that a failure before it
 * is an error like any other; later ones, or with `streamed` all of them, end the stream with a message. Before there
 * is one nothing is sent: clients that are still sending take an early answer for the end.
 */
export async function withProgress(
  exchange: Exchange,
  transfer: (report: (event: ProgressEvent) => void) => Promise<void>,
  options: { readonly failure?: 'streamed' } = {},
): Promise<void> {
  const { response } = exchange;
  const write = (message: object): void => {
    if (!response.headersSent) exchange.startStream('application/json');
    // Progress is droppable in size: a client that does not read gets its end and little else.
    if (response.writableLength < maxBacklog || !('progressDetail' in message)) {
      response.write(`${JSON.stringify(message)}\r\n`);
    }
  };
  try {
    await transfer((event) => write(viewProgress(event)));
    if (!response.headersSent) exchange.startStream('application/json');
  } catch (error) {
    if (!response.headersSent && options.failure !== 'streamed') throw error;
    write(viewFailure(error));
  }
  response.end();
}
