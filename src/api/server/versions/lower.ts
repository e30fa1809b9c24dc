import type { Answer } from '../answer.ts';
import { apiVersion, type ApiVersion } from '../api-version.ts';
import { lowerContainerInspect, lowerContainerSummary } from './containers.ts';
import { lowerDiskUsage } from './disk-usage.ts';
import { imageSteps, imageSummarySteps } from './images.ts';
import { each, whole, type JsonObject } from './json-object.ts';
import type { Lowering } from './lowering.ts';
import { systemInfoSteps } from './system-info.ts';

interface Lowerings {
  readonly list: boolean;
  /** Newest first: each step starts from what the one above it left. */
  readonly steps: readonly { readonly before: ApiVersion; readonly lower: Lowering['lower'] }[];
}

const steps = (lowerings: readonly Lowering[], list = false): Lowerings => ({
  list,
  steps: lowerings.map(({ before, lower }) => ({ before: apiVersion(before), lower })),
});

/** By operationId. */
const lowerings: Readonly<Record<string, Lowerings>> = {
  ContainerInspect: steps(lowerContainerInspect),
  ContainerList: steps(lowerContainerSummary, true),
  ImageInspect: steps(imageSteps),
  ImageList: steps(imageSummarySteps, true),
  NetworkList: steps([{ before: '1.52', lower: (network) => ({ Containers: {}, ...network }) }], true),
  SystemDataUsage: steps(lowerDiskUsage),
  SystemInfo: steps(systemInfoSteps),
};

/** The answer as clients of the version know it. */
export function lowerAnswer(operation: string, version: ApiVersion, answer: Answer): Answer {
  const found = lowerings[operation];
  const needed = found?.steps.filter((step) => version < step.before) ?? [];
  if (!found || needed.length === 0 || answer.status >= 300) return answer;
  const lower = (value: JsonObject): JsonObject =>
    needed.reduce((lowered, step) => step.lower(lowered, version), value);
  const { ready } = answer;
  if (ready) return { ...answer, ready: () => ready({ key: String(version), lower }) };
  return { ...answer, json: (found.list ? each(lower) : whole(lower))(answer.json) };
}
