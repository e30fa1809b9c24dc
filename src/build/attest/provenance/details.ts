import type { Descriptor } from '#oci';
import type { Step } from '../../graph/graph-builder.ts';
import type { Vertex, VertexId } from '../../graph/vertex.ts';
import { defineDockerfile, defineSteps, type Definition } from './definition.ts';
import type { ProvenanceFacts } from './facts.ts';

/** What `mode=max` adds: every step, where in the Dockerfile it stands, and what layers it made. */
export interface ProvenanceDetails {
  readonly definition: Definition;
  readonly source: object;
  readonly layers: Readonly<Record<string, readonly (readonly object[])[]>>;
}

export function detailsOf(facts: ProvenanceFacts, steps: ReadonlyMap<VertexId, Vertex>): ProvenanceDetails {
  const { plan, materials, invocation } = facts;
  const { ids, ...definition } = defineSteps(steps, {
    localPaths: plan.localPaths,
    remote: invocation.options['context'] || undefined,
    pinned: (reference) => {
      const found = materials.find(
        (material) => material.kind === 'image' && material.reference === reference,
      );
      const digest = found?.kind === 'image' ? found.digest : undefined;
      return digest === undefined || reference.includes('@') ? reference : `${reference}@${digest}`;
    },
  });
  const locations = [...ids].map(([id, name]) => [
    name,
    locationsOf(steps.get(id), plan.graph.steps.get(id)),
  ]);
  const layers = [...ids].flatMap(([id, name]) => {
    const stack = facts.layers.get(id);
    return stack && stack.length > 0 ? [[`${name}:0`, [stack.map(layerOf)]] as const] : [];
  });
  const { name, text } = invocation.dockerfile;
  const data = Buffer.from(text).toString('base64');
  const info = { filename: name, language: 'Dockerfile', data, ...defineDockerfile(name) };
  return {
    definition,
    source: { locations: Object.fromEntries(locations) as object, infos: [info] },
    layers: Object.fromEntries(layers),
  };
}

const layerOf = ({ mediaType, digest, size }: Descriptor): object => ({ mediaType, digest, size });

/** Sources stand in the Dockerfile only with those who use them. */
function locationsOf(vertex: Vertex | undefined, step: Step | undefined): object {
  const isSource = vertex?.kind === 'git' || vertex?.kind === 'http' || vertex?.kind === 'local';
  if (isSource || !step?.location) return {};
  const { firstLine, lastLine } = step.location;
  const lines = Array.from({ length: lastLine - firstLine + 1 }, (_, index) => ({ line: firstLine + index }));
  return { locations: [{ ranges: lines.map((line) => ({ start: line, end: line })) }] };
}
