import type { BuildGraph } from '../../graph/graph-builder.ts';
import { inputsOf, type FileSystem, type Vertex, type VertexId } from '../../graph/vertex.ts';

/** What a result needs, each vertex after its inputs: depth first, in the order of the inputs. */
export function reachedFrom(graph: BuildGraph, result: FileSystem): ReadonlyMap<VertexId, Vertex> {
  const reached = new Map<VertexId, Vertex>();
  const visit = (id: VertexId): void => {
    const vertex = graph.vertices.get(id);
    if (!vertex || reached.has(id)) return;
    for (const input of inputsOf(vertex)) visit(input);
    reached.set(id, vertex);
  };
  if (result !== 'scratch') visit(result);
  return reached;
}
