import { formatPlatform, normalizePlatform } from '#oci';
import type { ProvenanceOptions } from '../attest-options.ts';
import type { Attestation } from '../attestation.ts';
import { detailsOf, type ProvenanceDetails } from './details.ts';
import type { ProvenanceFacts } from './facts.ts';
import { reachedFrom } from './reached.ts';
import { requestOf, type ProvenanceRequest } from './request.ts';

interface Parts {
  readonly facts: ProvenanceFacts;
  readonly options: ProvenanceOptions;
  readonly request: ProvenanceRequest;
  readonly details: ProvenanceDetails | undefined;
}

/** Says how a result came to be, as SLSA's provenance of the version that is asked for. */
export function provenanceOf(facts: ProvenanceFacts, options: ProvenanceOptions): Attestation {
  const steps = reachedFrom(facts.plan.graph, facts.plan.result);
  const parts: Parts = {
    facts,
    options,
    request: requestOf(facts, options.mode, [...steps.values()]),
    details: options.mode === 'max' ? detailsOf(facts, steps) : undefined,
  };
  const { fileName, isInlineOnly, version } = options;
  return {
    predicateType: `https://slsa.dev/provenance/${version}`,
    predicate: version === 'v1' ? version1(parts) : version02(parts),
    fileName,
    isInlineOnly,
  };
}

const builderPlatformOf = ({ builderPlatform }: ProvenanceFacts): string =>
  formatPlatform(normalizePlatform(builderPlatform));

/** What BuildKit adds to both versions. */
const buildKitMetadata = ({ request: { vcs }, details }: Parts): object => ({
  ...(Object.keys(vcs).length > 0 && { vcs }),
  ...(details && { source: details.source }),
  ...(details && Object.keys(details.layers).length > 0 && { layers: details.layers }),
});

/** https://slsa.dev/provenance/v0.2 */
function version02(parts: Parts): object {
  const { facts, options, request, details } = parts;
  const { path, ...origin } = request.source;
  return {
    builder: { id: options.builderId },
    buildType: 'https://mobyproject.org/buildkit@v1',
    ...(request.materials.length > 0 && { materials: request.materials }),
    invocation: {
      configSource: { ...origin, entryPoint: path },
      parameters: request.parameters,
      environment: { platform: builderPlatformOf(facts) },
    },
    ...(details && { buildConfig: details.definition }),
    metadata: {
      buildInvocationID: facts.invocation.id,
      buildStartedOn: facts.invocation.startedAt,
      buildFinishedOn: facts.finishedAt,
      completeness: {
        parameters: request.isWhole,
        environment: true,
        materials: request.hasAllMaterials,
      },
      reproducible: options.isReproducible,
      'https://mobyproject.org/buildkit@v1#metadata': buildKitMetadata(parts),
      ...(request.isHermetic && { 'https://mobyproject.org/buildkit@v1#hermetic': true }),
    },
  };
}

/** https://slsa.dev/provenance/v1 */
function version1(parts: Parts): object {
  const { facts, options, request, details } = parts;
  const { materials } = request;
  return {
    buildDefinition: {
      buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
      ...(materials.length > 0 && { resolvedDependencies: materials }),
      externalParameters: { configSource: request.source, request: request.parameters },
      internalParameters: {
        ...(details && { buildConfig: details.definition }),
        builderPlatform: builderPlatformOf(facts),
      },
    },
    runDetails: {
      builder: { id: options.builderId },
      metadata: {
        invocationId: facts.invocation.id,
        startedOn: facts.invocation.startedAt,
        finishedOn: facts.finishedAt,
        buildkit_metadata: buildKitMetadata(parts),
        ...(request.isHermetic && { buildkit_hermetic: true }),
        buildkit_completeness: { request: request.isWhole, resolvedDependencies: request.hasAllMaterials },
        ...(options.isReproducible && { buildkit_reproducible: true }),
      },
    },
  };
}
