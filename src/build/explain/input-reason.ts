import { inputsOf, type FileSystem, type Vertex, type VertexId } from '../graph/vertex.ts';
import type { ChangeReason } from './change-reason.ts';
import type { RecordedStep } from './recorded-step.ts';

/** Finds vertices of one build. */
export type VertexFinder = (id: VertexId) => Vertex | undefined;

/** The file system that a step changes. */
function rootOf(vertex: Vertex): FileSystem | undefined {
  if (vertex.kind === 'exec') return vertex.root;
  return vertex.kind === 'file' ? vertex.base : undefined;
}

function imageOf(system: FileSystem | undefined, find: VertexFinder): string | undefined {
  const vertex = system === undefined || system === 'scratch' ? undefined : find(system);
  return vertex?.kind === 'image' ? shortName(vertex.reference) : undefined;
}

/** `docker.io/library/node:22@sha256:…` → `node:22` */
const shortName = (reference: string): string =>
  reference.replace(/@.*$/, '').replace(/^docker\.io\/(?:library\/)?/, '');

/** Which of the things that a step is built on changed, where that is no step with a reason of its own. */
export function inputReason(
  before: RecordedStep,
  after: RecordedStep,
  find: { readonly before: VertexFinder; readonly after: VertexFinder },
): ChangeReason {
  const old = imageOf(rootOf(before.vertex), find.before);
  const now = imageOf(rootOf(after.vertex), find.after);
  if (old !== undefined && now !== undefined && old !== now) return { kind: 'base', before: old, after: now };
  for (const id of inputsOf(after.vertex)) {
    const known = before.facts?.inputs[id];
    if (known === undefined || known === after.facts?.inputs[id]) continue;
    const vertex = find.after(id);
    if (vertex?.kind === 'image') {
      const name = shortName(vertex.reference);
      return { kind: 'base', before: name, after: name };
    }
    if (vertex?.kind === 'http') return { kind: 'source', name: vertex.url };
    if (vertex?.kind === 'git') return { kind: 'source', name: vertex.remote };
  }
  return { kind: 'input' };
}
