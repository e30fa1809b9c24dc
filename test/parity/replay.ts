import { compare, type Difference } from './compare.ts';
import type { Transcript } from './golden.ts';
import type { AcceptedDifference, Scenario } from './scenario.ts';
import { versions } from './scenario.ts';
import { Session, type Recorded } from './session.ts';

/** An answer of ours that is not the reference's. */
export interface DifferingAnswer {
  readonly version: string;
  readonly step: string;
  readonly request: string;
  /** Without a reviewed cause. */
  readonly unexplained: readonly Difference[];
  readonly explained: readonly (Difference & { readonly cause: string })[];
}

export interface Comparison {
  readonly answers: number;
  readonly differing: readonly DifferingAnswer[];
}

/** Runs a scenario against an engine, once in each version. `registry` is one that it reaches. */
export async function play(
  scenario: Scenario,
  socket: string,
  registry: string,
  chosen: readonly string[] = versions,
): Promise<Transcript> {
  const transcript = new Map<string, readonly Recorded[]>();
  for (const version of chosen) {
    const session = new Session(socket, version, registry);
    try {
      await session.begin();
      await scenario.run(session);
    } catch (error) {
      const last = session.recorded.at(-1)?.step ?? 'its begin';
      throw new Error(`${scenario.operation} in ${version}, after ${last}`, { cause: error });
    } finally {
      await session.cleanUp();
    }
    transcript.set(version, session.recorded);
  }
  return transcript;
}

function accepts(one: AcceptedDifference, version: string, step: string, path: string): boolean {
  const pattern = one.path.split('*').map((part) => RegExp.escape(part));
  return (
    (one.step ?? step) === step &&
    (one.versions ?? [version]).includes(version) &&
    new RegExp(`^${pattern.join('.*')}$`).test(path)
  );
}

/** Answer by answer; steps that only one of the two has are differences too. */
export function compareTranscripts(scenario: Scenario, reference: Transcript, ours: Transcript): Comparison {
  const differing: DifferingAnswer[] = [];
  let answers = 0;
  for (const [version, expected] of reference) {
    const found = new Map(ours.get(version)?.map((one) => [one.step, one]));
    for (const { step, request, answer } of expected) {
      answers++;
      const differences = compare({ request, ...answer }, flat(found.get(step)));
      found.delete(step);
      if (differences.length > 0) differing.push(sort(scenario, version, step, request, differences));
    }
    for (const { step, request } of found.values()) {
      const unexplained = [{ path: '', reference: '(absent)', ours: 'a step that was not recorded' }];
      differing.push({ version, step, request, unexplained, explained: [] });
    }
  }
  return { answers, differing };
}

const flat = (one: Recorded | undefined): unknown => one && { request: one.request, ...one.answer };

function sort(
  { differences: accepted = [] }: Scenario,
  version: string,
  step: string,
  request: string,
  differences: readonly Difference[],
): DifferingAnswer {
  const judged = differences.map((one) => ({
    ...one,
    cause: accepted.find((known) => accepts(known, version, step, one.path))?.cause,
  }));
  return {
    version,
    step,
    request,
    unexplained: judged.filter(({ cause }) => cause === undefined),
    explained: judged.flatMap(({ cause, ...one }) => (cause === undefined ? [] : [{ ...one, cause }])),
  };
}

/** For a person: each difference once, with where it is. */
export function describe({ differing }: Comparison): string {
  const found = new Map<string, { steps: Set<string>; versions: Set<string> }>();
  for (const { version, step, unexplained, explained } of differing) {
    const all: readonly (Difference & { readonly cause?: string })[] = [...unexplained, ...explained];
    for (const { path, reference, ours, cause } of all) {
      const because = cause === undefined ? '' : `\n      because ${cause}`;
      const text = `  ${path}\n      reference ${cut(reference)}\n      ours      ${cut(ours)}${because}`;
      const places = found.get(text) ?? { steps: new Set(), versions: new Set() };
      places.steps.add(step);
      places.versions.add(version);
      found.set(text, places);
    }
  }
  const lines = [...found].map(([text, { steps, versions: seen }]) => {
    const [first = '', ...others] = steps;
    const more = others.length > 0 ? ` and ${others.length} others` : '';
    return `${text}\n      in ${[...seen].join(' ')}: ${first}${more}`;
  });
  return lines.join('\n');
}

const cut = (text: string): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text);
