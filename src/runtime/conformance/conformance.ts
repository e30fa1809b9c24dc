import { after, test } from 'node:test';
import { Bench, type Each } from './bench.ts';
import { failures } from './failures.ts';
import { daemons, killedSupervisors, upgrades } from './lifetimes.ts';
import { execs, mainProcesses, otherEnds } from './processes.ts';
import { inputs, outputs, terminals } from './streams.ts';

const parts = [
  mainProcesses,
  otherEnds,
  execs,
  inputs,
  terminals,
  outputs,
  failures,
  daemons,
  upgrades,
  killedSupervisors,
];

/** What every Runtime does, with the OCI runtime given. */
export function runConformance(binary: string): void {
  const name = binary.slice(binary.lastIndexOf('/') + 1);
  const bench = Bench.open(binary);
  const each: Each = (title, body) => {
    void test(`${name}: ${title}`, { timeout: 60_000 }, async () => body(await bench));
  };
  after(async () => {
    await (await bench)[Symbol.asyncDispose]();
  });
  for (const part of parts) part(each);
}
