import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds between two looks at whether there is nothing to do. */
const period = 2_000;
/** Part of that time for which a program that has nothing to do may be busy. */
const idle = 0.02;
/** Milliseconds of work after which a collection is worth its own. */
const worthwhile = 100;

/**
 * Gives memory back when work has ended: the start, a build, a wave of requests. The engine of JavaScript itself only
 * does so when more memory is asked for, which an idle program never does. Ends with the process.
 */
export function reduceMemoryWhenIdle(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void; // what the flag adds to new contexts
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  // The start itself is worth it.
  let worked = worthwhile;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization, active } = performance.eventLoopUtilization(now, last);
    last = now;
    worked += active;
    if (utilization > idle || worked < worthwhile) return;
    collect({ type: 'major', flavor: 'last-resort' });
    worked = 0;
    last = performance.eventLoopUtilization();
  }, period).unref();
}
