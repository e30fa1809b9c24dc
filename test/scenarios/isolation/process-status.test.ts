import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { eventually } from '../../setup/index.ts';
import { Engine } from '../docker-cli/engine.ts';
import { recorded } from './recorded.ts';

let engine: Engine;
before(async () => (engine = await Engine.start()));
after(() => engine[Symbol.asyncDispose]());

/** Flags of `run`, and those of `exec` in such a container. */
const containers: Readonly<Record<string, readonly string[]>> = {
  '': ['', '--privileged', '--user 1000', '--user 1000 --privileged'],
  '--privileged': ['', '--user 1000'],
  '--cap-drop ALL': ['', '--privileged'],
  '--cap-add NET_ADMIN': [],
  '--cap-add ALL --cap-drop NET_RAW': [],
  '--cap-drop ALL --cap-add NET_BIND_SERVICE': [],
  '--user 1000': ['', '--privileged', '--user 0'],
  '--user nobody --cap-add ALL': ['--user 0'],
  '--user 1000 --privileged': [''],
  '--privileged --user 1000 --cap-drop ALL': [],
  '--security-opt no-new-privileges': ['', '--privileged'],
  '--security-opt seccomp=unconfined': ['', '--privileged'],
  '--privileged --security-opt no-new-privileges': [],
};

const script =
  "grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status | tr '\\t\\n' ' '; echo";
const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** The sets that the host leaves to an engine vary: the fullest is written as such. */
async function generalized(status: string): Promise<string> {
  const own = /^CapBnd:\t(\S+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '';
  const less = (BigInt(`0x${own}`) & ~(1n << 13n)).toString(16).padStart(16, '0');
  return status.trim().replaceAll(own, 'all').replaceAll(less, 'all-but-net_raw');
}

test(
  'capability sets, seccomp and no_new_privs are those of the reference engine',
  { timeout: 120_000 },
  async () => {
    const answers: Record<string, string> = {};
    for (const [flags, execs] of Object.entries(containers)) {
      if (execs.length === 0) {
        answers[`run ${flags}`] = await generalized(await engine.script(words(flags), script));
        continue;
      }
      const run = ['run', '-d', '--name', 'status', ...words(flags), 'busybox', 'sh', '-c'];
      await engine.docker(...run, `${script}; sleep 1000`);
      answers[`run ${flags}`.trim()] = await generalized(await logged('status'));
      for (const more of execs) {
        const status = await engine.docker('exec', ...words(more), 'status', 'sh', '-c', script);
        answers[`run ${flags}; exec ${more}`.trim()] = await generalized(status);
      }
      await engine.docker('rm', '-f', 'status');
    }
    assert.deepEqual(answers, await recorded('process-status', answers));
  },
);

/** The container's output, once there is some. */
const logged = (name: string): Promise<string> =>
  eventually(() => engine.docker('logs', name), { what: `output of ${name}` });
