import { isSecretName } from '../checks/secret-names.ts';
import { splitAssignment } from '../dockerfile/variables.ts';
import { inputsOf } from '../graph/vertex.ts';
import { contentsOf } from './client-files.ts';
import type { ExecVertex, Vertex } from '../graph/vertex.ts';
import type { RecordedStep } from './recorded-step.ts';

/** Why a step's earlier result does not hold. */
export type ChangeReason =
  | { readonly kind: 'new' }
  | { readonly kind: 'no-cache' }
  | { readonly kind: 'instruction'; readonly before: string }
  | {
      readonly kind: 'build-argument' | 'variable';
      readonly name: string;
      /** Undefined where it was, or is, not set. */
      readonly before: string | undefined;
      readonly after: string | undefined;
    }
  | { readonly kind: 'setting'; readonly name: 'user' | 'folder' | 'platform' | 'options' }
  /** What it is built on, or copies from, changed: that step has a reason of its own. */
  | { readonly kind: 'input' }
  /** The image that it is built on. */
  | { readonly kind: 'base'; readonly before: string; readonly after: string }
  /** What was fetched from elsewhere. */
  | { readonly kind: 'source'; readonly name: string }
  | { readonly kind: 'files'; readonly changes: readonly FileChange[] }
  /** A step that it is built on, which itself was in the cache as it is now. */
  | { readonly kind: 'through'; readonly instruction: string; readonly reason: ChangeReason }
  /** Nothing about the step: its earlier result is gone. */
  | { readonly kind: 'gone' };

export interface FileChange {
  /** As the step's destination has it; '' where it is the only file. */
  readonly path: string;
  readonly how: 'content' | 'attributes' | 'added' | 'removed';
  /** Where the text first differs: `line 12: "version": "1.2"`; undefined where that is not known. */
  readonly line?: string | undefined;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function variableChange(
  before: ExecVertex,
  after: ExecVertex,
  step: RecordedStep['step'],
): ChangeReason | undefined {
  const old = new Map(before.env.map(splitAssignment));
  const now = new Map(after.env.map(splitAssignment));
  // The step's own arguments first: they are what a person gave.
  const names = new Set([...Object.keys(step.buildArguments), ...now.keys(), ...old.keys()]);
  for (const name of names) {
    if (old.get(name) === now.get(name)) continue;
    const kind = Object.hasOwn(step.buildArguments, name) ? 'build-argument' : 'variable';
    return { kind, name, before: old.get(name), after: now.get(name) };
  }
  return undefined;
}

/** The vertex without what it is built on. */
function alone(vertex: Vertex): unknown {
  const plain = JSON.stringify(vertex, (key, value: unknown) =>
    key === 'root' || key === 'base' || key === 'from' || key === 'layers' ? undefined : value,
  );
  return plain;
}

function execChange(
  before: ExecVertex,
  after: RecordedStep & { vertex: ExecVertex },
): ChangeReason | undefined {
  const { vertex, step } = after;
  const variable = variableChange(before, vertex, step);
  if (variable) return variable;
  if (before.user !== vertex.user) return { kind: 'setting', name: 'user' };
  if (before.cwd !== vertex.cwd) return { kind: 'setting', name: 'folder' };
  return undefined;
}

/** The first difference of two recordings of one step, in the order in which people look for it. */
export function changeReason(before: RecordedStep | undefined, after: RecordedStep): ChangeReason {
  if (after.step.ignoreCache) return { kind: 'no-cache' };
  if (before?.vertex.kind !== after.vertex.kind) return { kind: 'new' };
  if (before.step.instruction !== after.step.instruction) {
    return { kind: 'instruction', before: before.step.instruction };
  }
  const { vertex } = after;
  if (before.vertex.kind === 'exec' && vertex.kind === 'exec') {
    const change = execChange(before.vertex, { ...after, vertex });
    if (change) return change;
  }
  const platformOf = (one: Vertex): unknown => ('platform' in one ? one.platform : undefined);
  if (!same(platformOf(before.vertex), platformOf(vertex))) return { kind: 'setting', name: 'platform' };
  if (alone(before.vertex) !== alone(vertex)) return { kind: 'setting', name: 'options' };
  return same(inputsOf(before.vertex), inputsOf(vertex)) ? contentReason(before, after) : { kind: 'input' };
}

/** What changed of a step whose description did not: its files, or what came of the steps before it. */
function contentReason(before: RecordedStep, after: RecordedStep): ChangeReason {
  const old = before.facts;
  const now = after.facts;
  if (!old || !now) return { kind: 'new' };
  const changes = fileChanges(old.files, now.files);
  if (changes.length > 0) return { kind: 'files', changes };
  return same(old.inputs, now.inputs) ? { kind: 'gone' } : { kind: 'input' };
}

function fileChanges(
  old: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly FileChange[] {
  const paths = [...new Set([...Object.keys(now), ...Object.keys(old)])].filter(
    (path) => old[path] !== now[path],
  );
  const isOnlyOne = Object.keys(now).length === 1 && Object.keys(old).length === 1 && paths.length === 1;
  return paths.map((path) => ({ path: isOnlyOne ? '' : path, how: howChanged(old[path], now[path]) }));
}

function howChanged(old: string | undefined, now: string | undefined): FileChange['how'] {
  if (old === undefined) return 'added';
  if (now === undefined) return 'removed';
  return contentsOf(old) === contentsOf(now) && contentsOf(now) !== '' ? 'attributes' : 'content';
}

/**
 * The step of an earlier build that one of now is compared with: the same instruction of the same stage, else what
 * stood at its place.
 */
export function counterpart(
  earlier: readonly RecordedStep[],
  current: readonly RecordedStep[],
  index: number,
): RecordedStep | undefined {
  const wanted = current[index];
  if (!wanted) return undefined;
  const ofStage = (steps: readonly RecordedStep[]): readonly RecordedStep[] =>
    steps.filter(({ step }) => step.stage === wanted.step.stage);
  const equal = ({ step }: RecordedStep): boolean => step.instruction === wanted.step.instruction;
  const now = ofStage(current);
  const before = ofStage(earlier);
  // Of several equal instructions the one of the same rank.
  const rank = now.slice(0, now.indexOf(wanted)).filter(equal).length;
  return before.filter(equal)[rank] ?? before[now.indexOf(wanted)];
}

const shown = (value: string | undefined): string =>
  value === undefined ? 'not set' : JSON.stringify(value);

/** Values of what has the name of a secret are not told. */
const valuesText = (
  change: Extract<ChangeReason, { readonly name: string; readonly after: unknown }>,
): string => (isSecretName(change.name) ? '' : ` (${shown(change.before)} → ${shown(change.after)})`);

/** The reason as a line behind the step's instruction. */
export function reasonText(reason: ChangeReason): string {
  switch (reason.kind) {
    case 'new':
      return 'it was not built before';
    case 'no-cache':
      return 'its cache is not used, as asked';
    case 'instruction':
      return `the instruction changed (before: ${reason.before})`;
    case 'build-argument':
      return `its build argument ${reason.name} changed${valuesText(reason)}`;
    case 'variable':
      return `the variable ${reason.name} changed${valuesText(reason)}`;
    case 'setting':
      return `its ${reason.name} changed`;
    case 'input':
      return 'a step that it builds on changed';
    case 'base':
      return reason.before === reason.after
        ? `the base image ${reason.after} was updated`
        : `the base image changed (${reason.before} → ${reason.after})`;
    case 'source':
      return `what is at ${reason.name} changed`;
    case 'through':
      return `it builds on ${reason.instruction}: ${reasonText(reason.reason)}`;
    case 'files':
      return filesText(reason.changes);
    case 'gone':
      return 'its earlier result is not in the cache any more';
  }
}

/** Of more changes only these many are named. */
const mostNamed = 3;

function changeText({ path, how, line }: FileChange): string {
  const where = line === undefined ? '' : ` (${line})`;
  const name = path === '' ? 'its file' : path;
  switch (how) {
    case 'content':
      return path === '' ? `content changed${where}` : `${path} changed${where}`;
    case 'attributes':
      return `mode or owner of ${name} changed`;
    case 'added':
      return `${name} is new`;
    case 'removed':
      return `${name} is gone`;
  }
}

function filesText(changes: readonly FileChange[]): string {
  const named = changes.slice(0, mostNamed).map(changeText);
  const others = changes.length - named.length;
  return [...named, ...(others > 0 ? [`${others} more`] : [])].join(', ');
}

const longestShown = 60;

/** Where a text file first differs: `line 12: "version": "1.2"`; undefined for equal texts. */
export function firstChangedLine(before: string, after: string): string | undefined {
  if (before === after) return undefined;
  const old = before.split('\n');
  const now = after.split('\n');
  const at = now.findIndex((row, index) => row !== old[index]);
  if (at === -1) return `line ${now.length}: what followed is gone`;
  const row = (now[at] ?? '').trim();
  return `line ${at + 1}: ${row.length > longestShown ? `${row.slice(0, longestShown)}…` : row}`;
}
