import { internal, invalidArgument, type EngineError } from '#kernel';

/** What the failed call was about, for messages in which the OCI runtime leaves it out. */
export interface OciErrorContext {
  readonly verb: 'run' | 'exec';
  /** argv[0] of the process. */
  readonly program: string;
}

const prefixes = {
  run: 'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ',
  exec: 'OCI runtime exec failed: exec failed: ',
} as const;
const START = 'unable to start container process: ';
const INIT = 'error during container init: ';
const NOT_A_FOLDER =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';
/** What the user can mend; clients make exit codes 126 and 127 of them. */
const USERS_FAULT =
  /executable file not found|no such file or directory|permission denied|is a directory|not a directory|exec format error/;

/** The words of crun or runc as Docker says them, on which clients match. */
export function translateOciError(message: string, context: OciErrorContext): EngineError {
  const runc = /^(?:runc \w+ failed|exec failed): (.*)$/s.exec(message)?.[1];
  const body = runc ?? START + fromCrun(message, context);
  const text = prefixes[context.verb] + body + (body.endsWith(': not a directory') ? NOT_A_FOLDER : '');
  return USERS_FAULT.test(text) ? invalidArgument(text) : internal(text);
}

type Rule = readonly [RegExp, (match: RegExpExecArray, context: OciErrorContext) => string];

const rlimitNumbers = new Map(
  ('CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING ' + 'MSGQUEUE NICE RTPRIO RTTIME')
    .split(' ')
    .map((name, number) => [`RLIMIT_${name}`, number]),
);

const missing = (program: string): string =>
  program.includes('/')
    ? `exec: ${quote(program)}: stat ${program}: no such file or directory`
    : `exec: ${quote(program)}: executable file not found in $PATH`;

const quote = (text: string): string => JSON.stringify(text);

const rules: readonly Rule[] = [
  [/^executable file `(.*)` not found/s, ([, program = '']) => missing(program)],
  [
    /^open executable: (?:Permission denied|Operation not permitted|Is a directory)/,
    (_, { program }) => (program === '' ? missing(program) : `exec: ${quote(program)}: permission denied`),
  ],
  [
    /^exec(?: container process)?(?: \(.*\))? `(.*)`: (.*)$/s,
    ([, program = '', reason = '']) => `exec: ${quote(program)}: ${lower(reason)}`,
  ],
  [
    /^chdir `(.*)`: (.*)$/s,
    ([, cwd = '', reason = '']) => `chdir to cwd (${quote(cwd)}) set in config.json failed: ${lower(reason)}`,
  ],
  [
    /^mount `(.*)` to `\/?(.*)`: (.*)$/s,
    ([, source = '', target = '', reason = '']) =>
      `${INIT}error mounting ${quote(source)} to rootfs at ${quote(`/${target}`)}: mount ${source}:/${target}: ${lower(reason)}`,
  ],
  [
    /^write file `\/proc\/(?:thread-)?self\/attr\/(?:apparmor\/)?exec`: (.*)$/s,
    ([, reason = '']) =>
      `${INIT}unable to apply apparmor profile: apparmor failed to apply profile: write /proc/thread-self/attr/apparmor/exec: ${lower(reason)}`,
  ],
  [
    /^setrlimit `(\w+)`: (.*)$/s,
    ([, name = '', reason = '']) =>
      `${INIT}error setting rlimits for ready process: error setting rlimit type ${rlimitNumbers.get(name) ?? name}: ${lower(reason)}`,
  ],
];

function fromCrun(message: string, context: OciErrorContext): string {
  for (const [pattern, translate] of rules) {
    const match = pattern.exec(message);
    if (match) return translate(match, context);
  }
  return INIT + message.replace(/(?<=: )[A-Z][a-z][^:]*$/, lower);
}

const lower = (reason: string): string => reason.charAt(0).toLowerCase() + reason.slice(1);
