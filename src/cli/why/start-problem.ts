import type { WharfStartProblem } from '#api/types';

/** What happened, in a sentence without its subject's name, and what to try. */
export interface Explained {
  readonly text: string;
  readonly fixes: readonly string[];
}

/** What fixes may name. */
export interface Named {
  /** `wharf` or `docker`. */
  readonly program: string;
  readonly image: string;
}

type Explain = (problem: WharfStartProblem, named: Named) => Explained | undefined;

const lookInside = ({ program, image }: Named): string =>
  `look into the image: ${program} run --rm -it --entrypoint sh ${image}`;

const explanations: { readonly [kind in WharfStartProblem['Kind']]: Explain } = {
  'program-missing': ({ Program: program = '' }, named) => ({
    text: program.includes('/')
      ? `the program ${program} is not in the image.`
      : `the program ${program} is in none of the folders of the image's PATH.`,
    fixes: ['check how it is spelled, and that the image is the one you mean', lookInside(named)],
  }),
  'program-is-folder': ({ Program: program = '' }, named) => ({
    text: `${program} is a folder, not a program.`,
    fixes: ['name the program itself', lookInside(named)],
  }),
  'not-executable': ({ Program: program = '', Mode: mode = 0 }) => ({
    text: `${program} may not be executed: its mode is ${mode.toString(8).padStart(4, '0')}.`,
    fixes: [`make it executable in the image (RUN chmod +x ${program}), or run it by its interpreter`],
  }),
  'interpreter-missing': explainInterpreter,
  'loader-missing': ({ Program: program = '', Loader: loader = '' }) => ({
    text: `${program} is a dynamic program that needs the loader ${loader}, which the image does not have: it was built for another distribution (glibc or musl).`,
    fixes: ['build it statically or on the distribution of the image, or use an image that has the loader'],
  }),
  architecture: ({ Program: program = '', Found: found = '', Host: host = '' }, named) => ({
    text: `${program} is a program for ${found}, and this host is ${host}.`,
    fixes: [`use the image for this host: ${named.program} pull --platform linux/${host} ${named.image}`],
  }),
  format: ({ Program: program = '', Empty: empty }, named) =>
    empty
      ? { text: `${program} is an empty file.`, fixes: ['see how it got into the image', lookInside(named)] }
      : {
          text: `${program} is neither a program nor a script that begins with #!.`,
          fixes: [`begin the script with a line such as #!/bin/sh, or run it by its shell: sh ${program}`],
        },
  'port-taken': explainPort,
  'user-unknown': ({ User: user = '' }) => ({
    text: `the user or group ${user} is not in the image's /etc/passwd or /etc/group.`,
    fixes: ['give --user a number, or add the user in the image'],
  }),
  'working-directory': ({ Path: path = '' }) => ({
    text: `the working directory ${path} cannot be entered.`,
    fixes: ['give another one with --workdir, or see whether a file or a mount is in its place'],
  }),
  'disk-full': (_, { program }) => ({
    text: 'the disk of the engine is full.',
    fixes: [`see what takes the room: ${program} system df`, `make room: ${program} system prune`],
  }),
  other: () => undefined,
};

/** Why a start failed, from the facts that the engine found; undefined when they explain nothing. */
export const explainProblem = (problem: WharfStartProblem, named: Named): Explained | undefined =>
  explanations[problem.Kind](problem, named);

function explainInterpreter({
  Program: program = '',
  Interpreter = '',
  CarriageReturn,
}: WharfStartProblem): Explained {
  if (CarriageReturn) {
    return {
      text: `the script ${program} has Windows line ends (CRLF), so the kernel looks for an interpreter named "${Interpreter}\\r".`,
      fixes: [
        `give it Unix line ends before it is copied into the image: sed -i 's/\\r$//' ${program}`,
        "keep git from changing them: add the line '*.sh text eol=lf' to .gitattributes",
      ],
    };
  }
  return {
    text: `the script ${program} asks for the interpreter ${Interpreter}, which the image does not have.`,
    fixes: [`install ${Interpreter} in the image, or change the first line of the script`],
  };
}

function explainPort(problem: WharfStartProblem, named: Named): Explained {
  const { Port: port = 0 } = problem;
  const elsewhere = 'or publish another port of the host (-p)';
  if (problem.Container !== undefined) {
    return {
      text: `port ${port} of the host is taken by the container ${problem.Container}.`,
      fixes: [`stop that one: ${named.program} stop ${problem.Container}`, elsewhere],
    };
  }
  if (problem.Pid !== undefined) {
    const holder = `${problem.Process ?? ''} (pid ${problem.Pid})`;
    return {
      text: `port ${port} of the host is taken by the process ${holder}.`,
      fixes: [`end that process if it is not needed: kill ${problem.Pid}`, elsewhere],
    };
  }
  return {
    text: `port ${port} of the host is taken.`,
    fixes: [`find out who has it: ss -lptn sport = :${port}`, elsewhere],
  };
}

/** The same from an engine's words alone: all that Docker's own engine tells. */
export function problemOfMessage(message: string): WharfStartProblem {
  const program = /exec: "(.*?)": (.*)/.exec(message);
  const reason = program?.[2] ?? '';
  if (/no space left on device/.test(message)) return { Kind: 'disk-full' };
  if (program && /executable file not found|no such file or directory/.test(reason)) {
    return { Kind: 'program-missing', Program: program[1] ?? '' };
  }
  if (program && /is a directory/.test(reason))
    return { Kind: 'program-is-folder', Program: program[1] ?? '' };
  const port =
    /(?:Bind for|failed to bind host port for|listen tcp4?) \S*?:(\d+)(?=[\s:])(?=.*(?:already allocated|already in use))/.exec(
      message,
    );
  if (port) return { Kind: 'port-taken', Port: Number(port[1]), ...holderOf(message) };
  const user = /unable to find (?:user|group) (.*?): no matching entries/.exec(message);
  if (user) return { Kind: 'user-unknown', User: user[1] ?? '' };
  const folder = /chdir to cwd \("(.*?)"\)|Cannot mkdir: (.*) is not a directory/.exec(message);
  if (folder) return { Kind: 'working-directory', Path: folder[1] ?? folder[2] ?? '' };
  return { Kind: 'other' };
}

function holderOf(message: string): Pick<WharfStartProblem, 'Container' | 'Pid' | 'Process'> {
  const container = /\(by container (.*?)\)/.exec(message)?.[1];
  if (container !== undefined) return { Container: container };
  const process = /is held by (.*) \(pid (\d+)\)/.exec(message);
  return process ? { Process: process[1] ?? '', Pid: Number(process[2]) } : {};
}
