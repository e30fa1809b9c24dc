import { setTimeout } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { busyboxArchive } from '../test/setup/index.ts';
import { builds } from './builds.ts';
import { time } from './measure.ts';
import { cli, type Peer } from './peers.ts';
import { requestRate } from './request-rate.ts';
import { transfers } from './transfers.ts';

/** One thing that is measured on each peer in turn. */
export interface Job {
  readonly name: string;
  /** Highest ratio to the reference that design allows now; lowest for jobs where more is better. */
  readonly budget: number;
  readonly better: 'less' | 'more';
  readonly unit: 'ms' | 'MB' | 'MB/s' | '1/s';
  readonly rounds: number;
  /** Once per peer, before the rounds. */
  prepare?(peer: Peer): Promise<void>;
  measure(peer: Peer): Promise<number>;
  /** Once per peer, after the rounds. */
  clean?(peer: Peer): Promise<void>;
}

export const loadBusybox = async (peer: Peer): Promise<void> => {
  await cli(peer, ['load', '-i', await busyboxArchive()]);
};

const timed = (name: string, budget: number, args: readonly string[], rounds = 15): Job => ({
  name,
  budget,
  better: 'less',
  unit: 'ms',
  rounds,
  measure: (peer) => time(() => cli(peer, args)),
});

const startSleepers = (peer: Peer, count: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, () =>
      cli(peer, ['run', '-d', '--label', 'bench', 'busybox', 'sleep', '1000']),
    ),
  );

const removeSleepers = async (peer: Peer): Promise<void> => {
  const ids = (await cli(peer, ['ps', '-aq', '--filter', 'label=bench']))
    .split('\n')
    .filter((id) => id !== '');
  if (ids.length > 0) await cli(peer, ['rm', '-f', ...ids]);
};

const parallel = (count: number): Job => ({
  name: `run -d of ${count} in parallel, then rm -f`,
  budget: 0.2,
  better: 'less',
  unit: 'ms',
  rounds: 3,
  measure: (peer) =>
    time(async () => {
      const ids = await startSleepers(peer, count);
      await cli(peer, ['rm', '-f', ...ids]);
    }),
});

const megabyte = 1024 * 1024;

/** A container's output, through its log and an attached client that lets go of it. */
const logThroughput: Job = {
  name: 'container log throughput',
  budget: 3,
  better: 'more',
  unit: 'MB/s',
  rounds: 3,
  async measure(peer) {
    const size = 64 * megabyte;
    const script = `yes 0123456789012345678901234567890123456789012345678901234567890 | head -c ${size}`;
    const args = ['run', '--name', 'bench-log', '--log-opt', 'max-size=1g', 'busybox', 'sh', '-c', script];
    const elapsed = await time(() => quietly(peer.cli, args, peer.env));
    await cli(peer, ['rm', '-f', 'bench-log']);
    return size / megabyte / (elapsed / 1000);
  },
};

const listRate: Job = {
  name: 'GET /containers/json of 20',
  budget: 5,
  better: 'more',
  unit: '1/s',
  rounds: 3,
  prepare: async (peer) => {
    await startSleepers(peer, 20);
  },
  measure: (peer) => requestRate(peer.socket, '/containers/json', 4000),
  clean: removeSleepers,
};

const quietly = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${program}: ${String(code)}`))));
  });

const memory = (name: string, budget: number, containers: number): Job => ({
  name,
  budget,
  better: 'less',
  unit: 'MB',
  rounds: 1,
  prepare: async (peer) => {
    if (containers > 0) await startSleepers(peer, containers);
  },
  measure: async (peer) => {
    // Nobody has asked for anything for a while.
    await setTimeout(5_000);
    return (await peer.memory()) / megabyte;
  },
  clean: removeSleepers,
});

const exec: Job = {
  ...timed('exec', 0.5, ['exec', 'bench-exec', 'true']),
  prepare: async (peer) => {
    await cli(peer, ['run', '-d', '--name', 'bench-exec', 'busybox', 'sleep', '1000']);
  },
  clean: async (peer) => {
    await cli(peer, ['rm', '-f', 'bench-exec']);
  },
};

/** Memory comes first, before the others have left their traces in it. */
export const jobs: readonly Job[] = [
  memory('idle memory', 1, 0),
  timed('run --rm busybox true', 0.2, ['run', '--rm', 'busybox', 'true']),
  timed('run --rm --network none', 0.2, ['run', '--rm', '--network', 'none', 'busybox', 'true']),
  timed('run --rm -p 80', 0.3, ['run', '--rm', '-p', '80', 'busybox', 'true']),
  exec,
  timed('ps', 1, ['ps']),
  memory('memory with 20 containers', 1, 20),
  parallel(20),
  parallel(50),
  listRate,
  logThroughput,
  ...transfers,
  ...builds,
];
