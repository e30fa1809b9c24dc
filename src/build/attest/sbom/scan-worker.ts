import { parentPort, workerData } from 'node:worker_threads';
import { scanTree } from './scan-tree.ts';

/** The thread that lists the packages under one root: `workerData` is its path, the answer an inventory. */

parentPort?.postMessage(scanTree(String(workerData)));
