import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer, Recorded } from './session.ts';

/** What an engine answered to a scenario in each version. */
export type Transcript = ReadonlyMap<string, readonly Recorded[]>;

interface GoldenStep {
  readonly step: string;
  readonly request: string;
  /** By the versions that got the same answer, separated by blanks. */
  readonly answers: Readonly<Record<string, Answer>>;
}

const folder = join(import.meta.dirname, '../golden/parity');

const file = (operation: string): string => join(folder, `${operation}.json`);

/** Equal answers of several versions are written once; one line per step. */
export function writeGolden(operation: string, transcript: Transcript): void {
  const steps = new Map<string, { request: string; answers: Map<string, string[]> }>();
  for (const [version, recorded] of transcript) {
    for (const { step, request, answer } of recorded) {
      const key = `${step}\n${request}`;
      const found = steps.get(key) ?? { request, answers: new Map<string, string[]>() };
      const text = JSON.stringify(answer);
      found.answers.set(text, [...(found.answers.get(text) ?? []), version]);
      steps.set(key, found);
    }
  }
  const lines = [...steps].map(([key, { request, answers }]) => {
    const byVersions = [...answers].map(([text, versions]) => [
      versions.join(' '),
      JSON.parse(text) as object,
    ]);
    return JSON.stringify({
      step: key.split('\n')[0],
      request,
      answers: Object.fromEntries(byVersions) as object,
    });
  });
  writeFileSync(file(operation), `[\n${lines.join(',\n')}\n]\n`);
}

/** The recorded answers, by version. */
export function readGolden(operation: string): Transcript {
  // Written by writeGolden() in this shape.
  const steps = JSON.parse(readFileSync(file(operation), 'utf8')) as readonly GoldenStep[];
  const transcript = new Map<string, Recorded[]>();
  for (const { step, request, answers } of steps) {
    for (const [versions, answer] of Object.entries(answers)) {
      for (const version of versions.split(' ')) {
        transcript.set(version, [...(transcript.get(version) ?? []), { step, request, answer }]);
      }
    }
  }
  return transcript;
}
