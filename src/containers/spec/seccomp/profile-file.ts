import { invalidArgument } from '#kernel';
import {
  isSeccompAction,
  isSeccompOperator,
  type OciSeccomp,
  type OciSeccompArgument,
  type OciSeccompRule,
  type SeccompAction,
} from '#linux';

/** What a profile's conditions are about. */
export interface SeccompSubject {
  /** The container's bounding set, `CAP_…`. */
  readonly capabilities: readonly string[];
  /** Go's name of the machine's architecture. */
  readonly architecture: string;
  /** As uname(2) has it, e.g. `6.1.0-13-amd64`. */
  readonly kernelRelease: string;
}

type Json = Readonly<Record<string, unknown>>;

const failed = (what: string): Error => invalidArgument(`Decoding seccomp profile failed: ${what}`);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The field, checked; undefined when it is not there or null. */
function object(of: Json, field: string): Json | undefined {
  const value = of[field] ?? undefined;
  if (value === undefined || isObject(value)) return value;
  throw failed(`${field} is not an object`);
}

function text(of: Json, field: string): string | undefined {
  const value = of[field] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw failed(`${field} is not a string`);
}

function count(of: Json, field: string): number | undefined {
  const value = of[field] ?? undefined;
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0))
    return value;
  throw failed(`${field} is not a number from 0 to 2^53`);
}

function array<T>(of: Json, field: string, read: (item: unknown) => T): readonly T[] {
  const value = of[field] ?? [];
  if (!Array.isArray(value)) throw failed(`${field} is not a list`);
  return value.map((item: unknown) => read(item));
}

const strings = (of: Json, field: string): readonly string[] =>
  array(of, field, (item) => {
    if (typeof item !== 'string') throw failed(`${field} is not a list of strings`);
    return item;
  });

const objects = (of: Json, field: string): readonly Json[] =>
  array(of, field, (item) => {
    if (!isObject(item)) throw failed(`${field} is not a list of objects`);
    return item;
  });

function action(of: Json, field: string): SeccompAction {
  const name = text(of, field) ?? '';
  if (!isSeccompAction(name)) throw failed(`unknown ${field} "${name}"`);
  return name;
}

function argument(of: Json): OciSeccompArgument {
  const op = text(of, 'op') ?? '';
  if (!isSeccompOperator(op)) throw failed(`unknown op "${op}"`);
  const index = count(of, 'index') ?? 0;
  if (index > 5) throw failed(`a system call has no argument ${index}`);
  return { index, value: count(of, 'value') ?? 0, valueTwo: count(of, 'valueTwo') ?? 0, op };
}

/** `4.8` ≤ `6.1.0-13-amd64` */
function isAtLeast(release: string, wanted: string): boolean {
  const version = /^(\d+)\.(\d+)$/.exec(wanted);
  if (!version) throw failed(`invalid kernel version "${wanted}": it must have the form <kernel>.<major>`);
  const [kernel = 0, major = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  return kernel > Number(version[1]) || (kernel === Number(version[1]) && major >= Number(version[2]));
}

/** Whether one of an `excludes` is the case. */
function isExcluded(excludes: Json, subject: SeccompSubject): boolean {
  const kernel = text(excludes, 'minKernel');
  return (
    strings(excludes, 'arches').includes(subject.architecture) ||
    strings(excludes, 'caps').some((name) => subject.capabilities.includes(name)) ||
    (kernel !== undefined && isAtLeast(subject.kernelRelease, kernel))
  );
}

/** Whether all of an `includes` is the case. */
function isIncluded(includes: Json, subject: SeccompSubject): boolean {
  const arches = strings(includes, 'arches');
  const kernel = text(includes, 'minKernel');
  return (
    (arches.length === 0 || arches.includes(subject.architecture)) &&
    strings(includes, 'caps').every((name) => subject.capabilities.includes(name)) &&
    (kernel === undefined || isAtLeast(subject.kernelRelease, kernel))
  );
}

function rule(of: Json): OciSeccompRule {
  const name = text(of, 'name') ?? '';
  const names = strings(of, 'names');
  if (name && names.length > 0) {
    throw failed(
      "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
    );
  }
  const errnoRet = count(of, 'errnoRet');
  const args = objects(of, 'args').map(argument);
  return {
    names: name ? [name] : names,
    action: action(of, 'action'),
    ...(errnoRet !== undefined && { errnoRet }),
    ...(args.length > 0 && { args }),
  };
}

const goNames: Readonly<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  riscv64: 'SCMP_ARCH_RISCV64',
  s390x: 'SCMP_ARCH_S390X',
  ppc64le: 'SCMP_ARCH_PPC64LE',
};

function architectures(profile: Json, subject: SeccompSubject): readonly string[] {
  const plain = strings(profile, 'architectures');
  const families = objects(profile, 'archMap');
  if (plain.length > 0 && families.length > 0) {
    throw failed(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const own = goNames[subject.architecture];
  const family = families.find((entry) => text(entry, 'architecture') === own);
  return family && own ? [own, ...strings(family, 'subArchitectures')] : plain;
}

/**
 * A profile in Docker's format (that of the OCI runtime specification, and `includes`, `excludes` and `archMap`) as
 * `--security-opt seccomp=FILE` sends it. Answers undefined for one that says nothing, which turns the filter off.
 */
export function parseSeccompProfile(json: string, subject: SeccompSubject): OciSeccomp | undefined {
  let profile: unknown;
  try {
    profile = JSON.parse(json);
  } catch (error) {
    throw failed((error as SyntaxError).message);
  }
  if (!isObject(profile)) throw failed('it is not an object');
  const rules = objects(profile, 'syscalls');
  if (!text(profile, 'defaultAction') && rules.length === 0) return undefined;
  const listed = architectures(profile, subject);
  const defaultErrnoRet = count(profile, 'defaultErrnoRet');
  const flags = strings(profile, 'flags');
  const listenerPath = text(profile, 'listenerPath');
  const listenerMetadata = text(profile, 'listenerMetadata');
  return {
    defaultAction: action(profile, 'defaultAction'),
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    ...(listed.length > 0 && { architectures: listed }),
    ...(flags.length > 0 && { flags }),
    ...(listenerPath !== undefined && { listenerPath }),
    ...(listenerMetadata !== undefined && { listenerMetadata }),
    syscalls: rules
      .filter((entry) => !isExcluded(object(entry, 'excludes') ?? {}, subject))
      .filter((entry) => isIncluded(object(entry, 'includes') ?? {}, subject))
      .map(rule),
  };
}
