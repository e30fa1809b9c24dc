import { Checks } from '../checks/checks.ts';
import { readDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { parseSyntax } from '../dockerfile/parse-syntax.ts';
import { rangeOf } from '../files/file-range.ts';
import type { BuildGraph } from '../graph/graph-builder.ts';
import type { BuildObserver, BuildParts } from '../solver/ports.ts';
import { Explainer } from './explainer.ts';
import { orderHints } from './order-hints.ts';

/** What a build is compared with, and how much is told of it. */
export interface ExplainedBuild {
  readonly dockerfile: string;
  /** What is built, for the client. */
  readonly identity: string;
  /** Every step that is done says why, not only where that is news. */
  readonly explainsAll?: boolean;
}

/** Explains the steps of a build, each as a line of its output. */
export function openExplainer(
  { memory, contexts }: Pick<BuildParts, 'memory' | 'contexts'>,
  { dockerfile, identity, explainsAll = false }: ExplainedBuild,
  graph: BuildGraph,
  observer: BuildObserver,
): Explainer {
  return new Explainer({
    ...{ memory, graph, explainsAll },
    name: identity,
    hints: orderHints(readDockerfile(parseSyntax(dockerfile), new Checks())),
    contents: (digest) => {
      const kept = contexts.find(digest);
      return kept && rangeOf(kept.stored, kept.size, contexts.files);
    },
    onCause: ({ id, reason, hint }) => {
      const lines = [`rebuilt: ${reason}`, ...(hint === undefined ? [] : [`hint: ${hint}`])];
      observer.output(id, 'stderr', Buffer.from(lines.map((line) => `${line}\n`).join('')));
    },
  });
}
