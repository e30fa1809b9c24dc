import type { WharfFacts, WharfStartProblem } from '#api/types';
import type { ContainerRecord } from '#containers';
import { formatTime } from '#kernel';

type RunFacts = NonNullable<ContainerRecord['run']>;
type StartProblem = NonNullable<RunFacts['failure']>['problem'];

/** The `Wharf` of inspect; undefined when there is nothing to tell. */
export function viewWharfFacts({ state, run }: ContainerRecord): WharfFacts | undefined {
  const unhealthy = run?.signals.some(({ by }) => by === 'unhealthy') ?? false;
  const facts: WharfFacts = {
    ...(run && viewRun(run)),
    ...(state.status === 'restarting' && {
      Restart: { Next: formatTime(state.restartAt), Cause: unhealthy ? 'unhealthy' : 'policy' },
    }),
  };
  return Object.keys(facts).length > 0 ? facts : undefined;
}

function viewRun({ signals, memory, failure, afterUnhealthy }: RunFacts): WharfFacts {
  return {
    ...(signals.length > 0 && {
      Signals: signals.map(({ signal, by, after, at }) => ({
        Signal: signal,
        By: by,
        ...(after !== undefined && { After: after }),
        At: formatTime(at),
      })),
    }),
    ...(memory && {
      Memory: {
        ...(memory.limit !== undefined && { Limit: memory.limit }),
        ...(memory.peak !== undefined && { Peak: memory.peak }),
      },
    }),
    ...(failure && {
      StartFailure: {
        At: formatTime(failure.at),
        Message: failure.message,
        Problem: viewProblem(failure.problem),
      },
    }),
    ...(afterUnhealthy && { AfterUnhealthy: true }),
  };
}

function viewProblem(problem: StartProblem): WharfStartProblem {
  switch (problem.kind) {
    case 'not-executable':
      return { Kind: problem.kind, Program: problem.program, Mode: problem.mode };
    case 'interpreter-missing': {
      const { kind, program, interpreter, crlf } = problem;
      return { Kind: kind, Program: program, Interpreter: interpreter, CarriageReturn: crlf };
    }
    case 'loader-missing':
      return { Kind: problem.kind, Program: problem.program, Loader: problem.loader };
    case 'architecture':
      return { Kind: problem.kind, Program: problem.program, Found: problem.found, Host: problem.host };
    case 'format':
      return { Kind: problem.kind, Program: problem.program, Empty: problem.empty };
    case 'port-taken':
      return { Kind: problem.kind, Port: problem.port, ...viewHolder(problem.holder) };
    case 'user-unknown':
      return { Kind: problem.kind, User: problem.user };
    case 'working-directory':
      return { Kind: problem.kind, Path: problem.path };
    case 'program-missing':
    case 'program-is-folder':
      return { Kind: problem.kind, Program: problem.program };
    case 'disk-full':
    case 'other':
      return { Kind: problem.kind };
  }
}

function viewHolder(
  holder: Extract<StartProblem, { kind: 'port-taken' }>['holder'],
): Pick<WharfStartProblem, 'Container' | 'Pid' | 'Process'> {
  if (!holder) return {};
  return 'container' in holder ? { Container: holder.container } : { Pid: holder.pid, Process: holder.name };
}
