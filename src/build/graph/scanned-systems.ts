import { parseBoolean } from '../dockerfile/go-text.ts';
import { buildContextOf } from './run-mounts.ts';
import type { StageNode } from './stage-node.ts';
import type { BuildWork } from './stage-work.ts';
import type { FileSystem } from './vertex.ts';

/** `true`, `false`, or the stages for which it holds. */
function isOn(value: string | undefined, stage: string): boolean {
  if (value === undefined) return false;
  return parseBoolean(value) ?? value.split(',').includes(stage);
}

function isAsked(name: string, node: StageNode, build: BuildWork): boolean {
  const own = node.state?.buildArguments.findLast((argument) => argument.name === name)?.value;
  return isOn(own ?? build.globalArguments.get(name), node.title);
}

/** What BUILDKIT_SBOM_SCAN_CONTEXT and BUILDKIT_SBOM_SCAN_STAGE ask to be listed beside the result. */
export function scannedSystems(
  target: StageNode,
  nodes: readonly StageNode[],
  build: BuildWork,
): Map<string, FileSystem> {
  const found = new Map<string, FileSystem>();
  if (isAsked('BUILDKIT_SBOM_SCAN_CONTEXT', target, build)) found.set('context', buildContextOf(build));
  for (const node of nodes) {
    if (node === target || node.isImplicit || !node.state) continue;
    if (isAsked('BUILDKIT_SBOM_SCAN_STAGE', node, build)) found.set(node.title, node.state.root);
  }
  return found;
}
