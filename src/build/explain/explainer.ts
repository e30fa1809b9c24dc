import { isUtf8 } from 'node:buffer';
import type { FileRange } from '#archive';
import { readRange } from '../files/file-range.ts';
import type { BuildGraph } from '../graph/graph-builder.ts';
import { inputsOf, type FileSystem, type VertexId } from '../graph/vertex.ts';
import { identityOf, type Result } from '../solver/result.ts';
import type { StepJournal } from '../solver/ports.ts';
import type { BuildMemory } from './build-memory.ts';
import {
  changeReason,
  counterpart,
  firstChangedLine,
  reasonText,
  type ChangeReason,
  type FileChange,
} from './change-reason.ts';
import { clientFiles, contentsOf } from './client-files.ts';
import { inputReason } from './input-reason.ts';
import { withoutSecrets, withoutSecretValues } from './secret-values.ts';
import type { OrderHint } from './order-hints.ts';
import type { RecordedStep, StepFacts } from './recorded-step.ts';

/** Why a step was done. */
export interface Explanation {
  readonly id: VertexId;
  /** The instruction as written. */
  readonly instruction: string;
  /** `its build argument X changed ("1" → "2")` */
  readonly reason: string;
  /** How the cache would be of more use. */
  readonly hint?: string;
}

export interface ExplainerOptions {
  readonly memory: BuildMemory;
  /** What is built: the same for builds that are compared with each other. */
  readonly name: string;
  readonly graph: BuildGraph;
  readonly hints: readonly OrderHint[];
  readonly explainsAll: boolean;
  /** The contents of a client's file, if they are still kept. */
  contents(digest: string): FileRange | undefined;
  /** Called before the step is done; unless all are explained, where something was built before and the reason is news. */
  onCause(explanation: Explanation): void;
}

/** Bytes up to which texts are compared by line. */
const largestText = 256 * 1024;

/** What people know already, or what has its reason in another step. */
const unspoken: ReadonlySet<ChangeReason['kind']> = new Set(['new', 'no-cache', 'instruction', 'input']);

type Finder = (system: FileSystem) => Result;

/** Compares the steps of a build with what they were made of the last time, and remembers them for the next. */
export class Explainer implements StepJournal {
  readonly #options: ExplainerOptions;
  readonly #steps: readonly RecordedStep[];
  readonly #facts = new Map<VertexId, StepFacts>();
  /** Steps that were in the cache. */
  readonly #found = new Set<VertexId>();
  readonly #explanations: Explanation[] = [];
  #loaded: readonly RecordedStep[] | undefined;

  constructor(options: ExplainerOptions) {
    this.#options = options;
    const { vertices, steps } = options.graph;
    this.#steps = [...vertices].map(([id, vertex]) => {
      const { instruction = '', stage = '', buildArguments = {}, ignoreCache = false } = steps.get(id) ?? {};
      const step = { instruction, stage, buildArguments: withoutSecrets(buildArguments), ignoreCache };
      return { id, vertex: withoutSecretValues(vertex), step };
    });
  }

  /** Of all steps that were done, in the order in which they were begun. */
  get explanations(): readonly Explanation[] {
    return this.#explanations;
  }

  found(id: VertexId, key: string, resultOf: Finder): void {
    this.#found.add(id);
    const known = this.#earlier.find((step) => step.id === id)?.facts;
    this.#facts.set(id, known?.key === key ? known : this.#factsOf(id, key, resultOf));
  }

  async missed(id: VertexId, key: string, resultOf: Finder): Promise<void> {
    const index = this.#steps.findIndex((step) => step.id === id);
    const step = this.#steps[index];
    if (!step) return;
    const facts = this.#factsOf(id, key, resultOf);
    this.#facts.set(id, facts);
    if (step.step.instruction === '') return;
    const before = counterpart(this.#earlier, this.#steps, index);
    const reason = await this.#reason(before, { ...step, facts });
    const hint = reason.kind === 'files' ? this.#hintOf(id) : undefined;
    const explanation = {
      ...{ id, instruction: step.step.instruction, reason: reasonText(reason) },
      ...(hint !== undefined && { hint }),
    };
    this.#explanations.push(explanation);
    const isNews = this.#earlier.length > 0 && !unspoken.has(reason.kind);
    if (isNews || this.#options.explainsAll) this.#options.onCause(explanation);
  }

  /** Remembers the build; of steps that it did not finish what was known before. */
  finish(isDone: (id: VertexId) => boolean): void {
    const steps = this.#steps.map((step, index): RecordedStep => {
      const facts = this.#facts.get(step.id);
      if (facts && isDone(step.id)) return { ...step, facts };
      if (step.vertex.kind === 'image' || step.vertex.kind === 'local') return step;
      return counterpart(this.#earlier, this.#steps, index) ?? step;
    });
    if (JSON.stringify(steps) !== JSON.stringify(this.#earlier)) {
      this.#options.memory.put(this.#options.name, steps);
    }
  }

  get #earlier(): readonly RecordedStep[] {
    this.#loaded ??= this.#options.memory.find(this.#options.name);
    return this.#loaded;
  }

  #factsOf(id: VertexId, key: string, resultOf: Finder): StepFacts {
    const vertex = this.#options.graph.vertices.get(id);
    if (!vertex) return { key, inputs: {}, files: {} };
    const { vertices } = this.#options.graph;
    // The client's files count one by one.
    const inputs = inputsOf(vertex).filter((input) => vertices.get(input)?.kind !== 'local');
    return {
      key,
      inputs: Object.fromEntries(inputs.map((input) => [input, identityOf(resultOf(input))])),
      files: clientFiles(vertex, (system) =>
        system !== 'scratch' && vertices.get(system)?.kind === 'local'
          ? resultOf(system)
          : { kind: 'layers', layers: [] },
      ),
    };
  }

  async #reason(before: RecordedStep | undefined, after: RecordedStep): Promise<ChangeReason> {
    const reason = changeReason(before, after);
    if (!before) return reason;
    if (reason.kind === 'input') return this.#inputReason(before, after);
    if (reason.kind !== 'files') return reason;
    const [first, ...others] = reason.changes;
    return first
      ? { kind: 'files', changes: [await this.#withLine(first, before, after), ...others] }
      : reason;
  }

  async #inputReason(before: RecordedStep, after: RecordedStep): Promise<ChangeReason> {
    const reason = inputReason(before, after, {
      before: (id) => this.#earlier.find((step) => step.id === id)?.vertex,
      after: (id) => this.#options.graph.vertices.get(id),
    });
    if (reason.kind !== 'input') return reason;
    // What is done again itself says why.
    const [found] = inputsOf(after.vertex).filter((id) => this.#found.has(id));
    const index = this.#steps.findIndex(({ id }) => id === found);
    const step = this.#steps[index];
    const facts = found && this.#facts.get(found);
    if (!step || !facts || step.step.instruction === '') return reason;
    const inner = await this.#reason(counterpart(this.#earlier, this.#steps, index), { ...step, facts });
    if (['new', 'gone', 'input'].includes(inner.kind)) return reason;
    return inner.kind === 'through'
      ? inner
      : { kind: 'through', instruction: step.step.instruction, reason: inner };
  }

  async #withLine(change: FileChange, before: RecordedStep, after: RecordedStep): Promise<FileChange> {
    if (change.how !== 'content') return change;
    const markOf = ({ facts }: RecordedStep): string =>
      (change.path === '' ? Object.values(facts?.files ?? {})[0] : facts?.files[change.path]) ?? '';
    const [old, now] = await Promise.all([before, after].map((step) => this.#textOf(markOf(step))));
    const line = old === undefined || now === undefined ? undefined : firstChangedLine(old, now);
    return { ...change, line };
  }

  /** Undefined for what is no text, too long, or not kept any more. */
  async #textOf(mark: string): Promise<string | undefined> {
    const digest = contentsOf(mark);
    if (digest === '') return undefined;
    const contents = this.#options.contents(digest);
    if (!contents || contents.size > largestText) return undefined;
    try {
      const data = await readRange(contents);
      return isUtf8(data) && !data.includes(0) ? data.toString() : undefined;
    } catch {
      return undefined;
    }
  }

  #hintOf(id: VertexId): string | undefined {
    const location = this.#options.graph.steps.get(id)?.location;
    return this.#options.hints.find((hint) => hint.location.firstLine === location?.firstLine)?.message;
  }
}
