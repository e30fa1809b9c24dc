import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCgroupHost } from './cgroup.ts';

/** A cgroup.procs file that already holds this process; undefined where there is none. */
export function ownCgroupProcs(): string | undefined {
  try {
    const host = readCgroupHost();
    for (const line of readFileSync('/proc/self/cgroup', 'latin1').split('\n')) {
      const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      const root = names === '' ? host.unified : host.controllers.get(names?.split(',')[0] ?? '');
      if (root !== undefined && path !== undefined) return join(root, path, 'cgroup.procs');
    }
  } catch {
    // Nothing is mounted: starts will say so.
  }
  return undefined;
}

/**
 * Takes a wait off the starts of processes in containers. The kernel lets the first move of a process into a cgroup
 * wait for an RCU grace period, ten milliseconds and more; moves that follow within about as long pass at once
 * (kernel/rcu/sync.c). So a start is announced: this process is moved to where it is already, on a thread of the
 * pool, while the rest of the start is prepared.
 */
export class CgroupMoves {
  #procs: string | undefined;
  #moving = false;

  /** A process will be started within the next milliseconds. Returns at once and never fails. */
  expect(): void {
    if (this.#moving) return;
    this.#procs ??= ownCgroupProcs();
    if (this.#procs === undefined) return;
    this.#moving = true;
    void writeFile(this.#procs, String(process.pid), { flag: 'r+' })
      .catch(() => undefined)
      .finally(() => (this.#moving = false));
  }
}
