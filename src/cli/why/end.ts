import type { ContainerInspectResponse, WharfFacts } from '#api/types';
import { ago } from '../format/time.ts';
import { binarySize } from '../format/units.ts';
import { exitCodeMeaning, signalOfExitCode } from './exit-code.ts';
import type { Account, Circumstances } from './explanation.ts';
import { signalMeaning, signalName } from './signal-names.ts';

type Sent = NonNullable<WharfFacts['Signals']>[number];

/** How a run ended. */
export function explainEnd(
  container: ContainerInspectResponse,
  name: string,
  circumstances: Circumstances,
): Account {
  const { ExitCode: code, OOMKilled: oom, Error: error, FinishedAt } = container.State;
  const when = ago(Date.parse(FinishedAt), circumstances.now);
  if (/exit code unknown/.test(error)) {
    return {
      summary: `ended ${when} or before that; how is not known.`,
      details: [`${error.charAt(0).toUpperCase()}${error.slice(1)}.`],
      showsLog: true,
    };
  }
  if (oom) return outOfMemory(container, name, when, circumstances.program);
  const sent = container.Wharf?.Signals?.findLast(({ Signal }) => ends(Signal, code, container));
  if (sent) return byEngine(sent, code, when, container);
  const signal = signalOfExitCode(code);
  if (signal !== undefined && signal < 32) return bySignal(signal, code, when, container);
  return byItself(code, when);
}

/** Whether a signal that was sent is what ended the run: a milder one may only have been asked for. */
function ends(signal: number, code: number, container: ContainerInspectResponse): boolean {
  if (code === 128 + signal) return true;
  const last = container.Wharf?.Signals?.at(-1);
  return last?.Signal === signal && last.By !== 'kill' && signal !== 9;
}

function outOfMemory(
  container: ContainerInspectResponse,
  name: string,
  when: string,
  program: string,
): Account {
  const { Limit: limit = container.HostConfig.Memory || undefined, Peak: peak } =
    container.Wharf?.Memory ?? {};
  const numbers = [
    ...(limit === undefined ? [] : [`its limit is ${binarySize(limit)}`]),
    ...(peak === undefined ? [] : [`the most it used was ${binarySize(peak)}`]),
  ].join(', ');
  const { ExitCode: code } = container.State;
  const whom =
    code === 137
      ? 'the kernel killed it'
      : `the kernel killed one of its processes, and it ended with ${code}`;
  const more = limit === undefined ? '' : ` ${Math.ceil((limit * 2) / 1_048_576)}m`;
  return {
    summary: `ran out of memory ${when}: ${whom}${numbers === '' ? '.' : ` (${numbers}).`}`,
    details:
      limit === undefined
        ? ['It has no limit of its own: the host, or a limit above it, had no memory left.']
        : ['The limit holds for all its processes together, files in --tmpfs and /dev/shm included.'],
    fixes: [
      limit === undefined
        ? 'see what else takes the memory of the host, and give containers limits (--memory)'
        : `give it more: ${program} update --memory${more} --memory-swap${more} ${name}`,
      'make the program use less: many runtimes have a limit of their own (NODE_OPTIONS=--max-old-space-size, -Xmx)',
    ],
    showsLog: true,
  };
}

const askedFor: Readonly<Record<Sent['By'], string>> = {
  stop: 'a client asked the engine to stop it',
  kill: 'a client asked the engine to send it the signal',
  restart: 'a client asked the engine to restart it',
  remove: 'a client asked the engine to remove it by force',
  shutdown: 'the engine was shut down and took it along',
  unhealthy: 'the engine restarted it, since it was unhealthy',
};

function byEngine(sent: Sent, code: number, when: string, container: ContainerInspectResponse): Account {
  const name = signalName(sent.Signal);
  const why = askedFor[sent.By];
  if (sent.After !== undefined) {
    const stop = container.Config.StopSignal || 'SIGTERM';
    const shell = ['sh', '/bin/sh', 'bash', '/bin/bash'].includes(container.Path);
    return {
      summary: `was killed ${when}: ${why}, and it had not ended ${sent.After} s after ${stop}.`,
      details: [`Its exit code is ${code} (128 + ${sent.Signal}, ${name}).`],
      fixes: [
        shell
          ? `let the program get ${stop}: begin its line in the shell with exec, or use --init`
          : `have the program handle ${stop} (as process 1 it ignores what it does not handle), or use --init`,
        'name the signal that it wants with --stop-signal, or give it more time with --stop-timeout',
      ],
    };
  }
  const well = code === 0 || code === 128 + sent.Signal;
  return {
    summary: `was ended ${when} by ${name}: ${why}.`,
    details: [
      code === 128 + sent.Signal
        ? `Its exit code is ${code} (128 + ${sent.Signal}).`
        : `It handled the signal and ended with exit code ${code}.`,
    ],
    showsLog: !well,
  };
}

function bySignal(signal: number, code: number, when: string, container: ContainerInspectResponse): Account {
  const meaning = signalMeaning(signal);
  const facts = container.Wharf !== undefined;
  const sender =
    meaning !== undefined
      ? []
      : facts
        ? [
            'The engine did not send it: it came from inside the container, or from another process of the host (an administrator, earlyoom, systemd-oomd).',
          ]
        : ['This engine does not say who sent it.'];
  const memory = container.Wharf?.Memory;
  const tight =
    signal === 9 &&
    memory?.Limit !== undefined &&
    memory.Peak !== undefined &&
    memory.Peak >= memory.Limit * 0.98;
  return {
    summary: `ended ${when} with ${code}, which is 128 + ${signal}: ${signalName(signal)}${meaning === undefined ? '' : `; ${meaning}`}.`,
    details: [
      ...sender,
      `A program may also end with ${code} by itself, as shells do when a command of theirs was ended by that signal.`,
      ...(tight ? ['It used all the memory that its limit allows.'] : []),
    ],
    fixes:
      signal === 31 ? ['see which call it was (dmesg, or --security-opt seccomp=unconfined for a try)'] : [],
    showsLog: true,
  };
}

function byItself(code: number, when: string): Account {
  if (code === 0) {
    return {
      summary: `ended ${when} by itself, and well (exit code 0).`,
      details: ['A container runs as long as its main process: one that goes to the background ends it.'],
      fixes: [
        'if it was to stay: have the program run in the foreground, or give a shell a terminal with -it',
      ],
    };
  }
  const meaning = exitCodeMeaning(code);
  const fixes =
    code === 127
      ? ['a command in its script is not in the image: see the log for its name']
      : code === 126
        ? ['a command in its script cannot be executed: see the log for its name, and its mode']
        : [];
  return {
    summary: `ended ${when} by itself with exit code ${code}${meaning === undefined ? ', a code of its own' : `: ${meaning}`}.`,
    fixes,
    showsLog: true,
  };
}
