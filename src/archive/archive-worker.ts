import { parentPort, workerData } from 'node:worker_threads';
import { EngineError, errnoOf, messageOf } from '#kernel';
import { runFilter, type FilterOrder } from './worker/filter.ts';
import type { JobMessage, WorkerMessage } from './worker/jobs.ts';

/** Thrown in a worker when its job is no longer wanted; the main thread knows the reason. */
class Stopped extends Error {}

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  // Filter threads start faster without what only jobs need.
  const { runJob } = await import('./worker/run-job.ts');
  const send = (message: WorkerMessage): void => port.postMessage(message);
  port.on('message', ({ job, stop, programFolders }: JobMessage) => {
    const flag = new Int32Array(stop);
    const check = (): void => {
      if (Atomics.load(flag, 0) !== 0) throw new Stopped('the job was stopped');
    };
    try {
      const tools = { url: new URL(import.meta.url), programFolders };
      const result = runJob(job, { tools, check, offerPipe: (fd) => send({ type: 'pipe', fd }) });
      send({ type: 'done', result });
    } catch (error) {
      const kind = error instanceof EngineError ? error.kind : undefined;
      send({ type: 'failed', failure: { kind, message: messageOf(error), code: errnoOf(error) } });
    }
  });
}

const order = workerData as FilterOrder | null;
if (order) void runFilter(order);
else if (parentPort) void serve(parentPort);
