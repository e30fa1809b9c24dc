import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerState } from './container-record.ts';
import { transition, type ContainerEvent } from './state-machine.ts';

const exited: ContainerState = {
  status: 'exited',
  exitCode: 3,
  startedAt: 1n,
  finishedAt: 2n,
  oomKilled: false,
};
const states: Record<string, ContainerState> = {
  created: { status: 'created' },
  running: { status: 'running', pid: 7, startedAt: 1n, paused: false },
  paused: { status: 'running', pid: 7, startedAt: 1n, paused: true },
  exited,
  restarting: { status: 'restarting', last: exited, restartAt: 9n },
  removing: { status: 'removing', last: exited },
  dead: { status: 'dead', last: exited },
};
const events: Record<string, ContainerEvent> = {
  started: { type: 'started', pid: 8, at: 5n },
  startFailed: { type: 'startFailed', failure: { message: 'no', exitCode: 127 }, at: 5n },
  exited: { type: 'exited', exitCode: 0, at: 5n, oomKilled: false },
  paused: { type: 'paused' },
  resumed: { type: 'resumed' },
  restartPlanned: { type: 'restartPlanned', at: 9n },
  restartCancelled: { type: 'restartCancelled' },
  removing: { type: 'removing' },
  removalFailed: { type: 'removalFailed' },
};
const table: Record<string, Record<string, string>> = {
  created: { started: 'running', startFailed: 'created', removing: 'removing' },
  running: { exited: 'exited', paused: 'running' },
  paused: { exited: 'exited', resumed: 'running' },
  exited: { started: 'running', startFailed: 'exited', restartPlanned: 'restarting', removing: 'removing' },
  restarting: { started: 'running', startFailed: 'exited', restartCancelled: 'exited', removing: 'removing' },
  removing: { removing: 'removing', removalFailed: 'dead' },
  dead: { removing: 'removing' },
};

for (const [from, state] of Object.entries(states)) {
  for (const [name, event] of Object.entries(events)) {
    const to = table[from]?.[name];
    test(`transition() of ${from} on ${name} ${to === undefined ? 'is a conflict' : `is ${to}`}`, () => {
      if (to === undefined) assert.throws(() => transition(state, event), { kind: 'conflict' });
      else assert.equal(transition(state, event).status, to);
    });
  }
}
