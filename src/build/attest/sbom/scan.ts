import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Inventory } from './found-package.ts';

const workerUrl = new URL(
  import.meta.url.endsWith('.js') ? './scan-worker.js' : './scan-worker.ts',
  import.meta.url,
);

/** Lists the packages under a root, in a thread of its own. Throws the signal's reason. */
export async function scan(root: string, { signal }: { readonly signal: AbortSignal }): Promise<Inventory> {
  signal.throwIfAborted();
  const worker = new Worker(workerUrl, { workerData: root });
  try {
    // The thread sends one answer, or fails, which rejects.
    const [inventory] = (await once(worker, 'message', { signal })) as [Inventory];
    return inventory;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await worker.terminate();
  }
}
