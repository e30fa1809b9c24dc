import { createHash } from 'node:crypto';
import type { Platform } from '#oci';
import { inputsOf, type Vertex, type VertexId } from '../../graph/vertex.ts';
import { operationOf, type LocalPaths } from './operation.ts';

/** One step of a definition, as statements tell it: BuildKit's LLB in JSON. */
export interface DefinedStep {
  /** `step0`, `step1`, … */
  readonly id: string;
  readonly op: object;
  /** `step0:0`: the first output of a step. */
  readonly inputs?: readonly string[];
}

/** The steps that lead to a result, the last one standing for the result itself. */
export interface Definition {
  readonly llbDefinition: readonly DefinedStep[];
  /** Digests of the steps, by which progress names them, to their ids here. */
  readonly digestMapping: Readonly<Record<string, string>>;
}

/** What the operations of a definition are told with. */
export interface DefinitionContext {
  readonly localPaths: LocalPaths;
  /** Address of the build's context, where it came from elsewhere. */
  readonly remote: string | undefined;
  /** An image as it was resolved: with its digest. */
  readonly pinned: (reference: string, platform: Platform) => string;
}

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** `steps` come after their inputs; the last one gives the result. */
export function defineSteps(
  steps: ReadonlyMap<VertexId, Vertex>,
  context: DefinitionContext,
): Definition & { readonly ids: ReadonlyMap<VertexId, string> } {
  const ids = new Map([...steps.keys()].map((id, index) => [id, `step${index}`]));
  const output = (id: VertexId): string => `${ids.get(id) ?? ''}:0`;
  const llbDefinition = [...steps].map(([id, vertex]): DefinedStep => {
    const inputs = inputsOf(vertex).map(output);
    const op = { ...operationOf(vertex, context), constraints: {} };
    return { id: ids.get(id) ?? '', op, ...(inputs.length > 0 && { inputs }) };
  });
  const last = [...steps.keys()].at(-1);
  const end = { id: `step${steps.size}`, op: { Op: {} } };
  llbDefinition.push(last === undefined ? end : { ...end, inputs: [output(last)] });
  const digests = [...ids, [digestOf(`result ${last ?? ''}`), end.id] as const];
  const digestMapping = Object.fromEntries(digests.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { llbDefinition, digestMapping, ids };
}

/** How the Dockerfile came from the client. */
export function defineDockerfile(fileName: string): Definition {
  const paths = [fileName, `${fileName}.dockerignore`, fileName.toLowerCase()];
  const attrs = {
    'local.differ': 'none',
    'local.followpaths': JSON.stringify(paths),
    'local.sharedkeyhint': 'dockerfile',
  };
  const source = { identifier: 'local://dockerfile', attrs };
  const llbDefinition = [
    { id: 'step0', op: { Op: { source }, constraints: {} } },
    { id: 'step1', op: { Op: {} }, inputs: ['step0:0'] },
  ];
  const entries = [
    [digestOf(JSON.stringify(source)), 'step0'],
    [digestOf(`result ${JSON.stringify(source)}`), 'step1'],
  ] as const;
  return { llbDefinition, digestMapping: Object.fromEntries(entries) };
}
