import type { StatusResponse } from '#buildkit';

/** What an engine tells of one of several builds: its steps carry the target's name, and are its own. */
export function statusOfTarget(name: string, status: StatusResponse): StatusResponse {
  const own = (digest: string): string => `${digest}@${name}`;
  return {
    ...status,
    vertexes: status.vertexes.map((vertex) => ({
      ...vertex,
      digest: own(vertex.digest),
      inputs: vertex.inputs.map(own),
      name: stepName(name, vertex.name),
    })),
    statuses: status.statuses.map((each) => ({ ...each, vertex: own(each.vertex) })),
    logs: status.logs.map((log) => ({ ...log, vertex: own(log.vertex) })),
    warnings: status.warnings.map((warning) => ({ ...warning, vertex: own(warning.vertex) })),
  };
}

/** `[web 1/2] FROM …`, `[web] exporting to image`. */
const stepName = (target: string, name: string): string =>
  name.startsWith('[') ? `[${target} ${name.slice(1)}` : `[${target}] ${name}`;
