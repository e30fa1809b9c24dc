import type { DriverData, OCIDescriptor, OCIPlatform } from './common.ts';
import type { EmptyObject } from './container-config.ts';
import type { HealthConfig } from './health.ts';
import type { WharfPrune } from './wharf-disk.ts';

/** The defaults that an image gives its containers. */
export interface ImageConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, EmptyObject>> | null;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: HealthConfig | null;
  readonly ArgsEscaped?: boolean;
  readonly Volumes?: Readonly<Record<string, EmptyObject>> | null;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[] | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly Shell?: readonly string[] | null;
}

export interface ImageManifestSummary {
  readonly ID: string;
  readonly Descriptor: OCIDescriptor;
  readonly Available: boolean;
  readonly Size: { readonly Total: number; readonly Content: number };
  readonly Kind: 'image' | 'attestation' | 'unknown';
  readonly ImageData?: {
    readonly Platform: OCIPlatform;
    readonly Containers: readonly string[] | null;
    readonly Size: { readonly Unpacked: number };
  } | null;
  readonly AttestationData?: { readonly For: string } | null;
}

/** One in-toto statement that comes with an image. */
export interface AttestationStatement {
  readonly Descriptor: OCIDescriptor;
  readonly PredicateType: string;
  readonly Statement?: unknown;
}

export interface ImageInspect {
  readonly Id: string;
  readonly Descriptor?: OCIDescriptor;
  readonly Manifests?: readonly ImageManifestSummary[] | null;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Comment?: string;
  readonly Created?: string | null;
  readonly Author?: string;
  readonly Config: ImageConfig | null;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly OsVersion?: string;
  readonly Size: number;
  readonly GraphDriver?: DriverData;
  readonly RootFS: { readonly Type: string; readonly Layers?: readonly string[] };
  readonly Metadata: { readonly LastTagTime?: string | null };
}

/** One entry of GET /images/json. */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** seconds since the epoch */
  readonly Created: number;
  readonly Size: number;
  /** -1: not computed */
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** -1: not counted */
  readonly Containers: number;
  readonly Manifests?: readonly ImageManifestSummary[];
  readonly Descriptor?: OCIDescriptor;
}

export interface ImageHistoryResponseItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

export interface ImageDeleteResponseItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export interface ImagesPruneResponse {
  readonly ImagesDeleted: readonly ImageDeleteResponseItem[] | null;
  readonly SpaceReclaimed: number;
  readonly Wharf?: WharfPrune;
}

export interface DistributionInspect {
  readonly Descriptor: OCIDescriptor;
  readonly Platforms: readonly OCIPlatform[] | null;
}

/** One entry of GET /images/search. */
export interface ImageSearchItem {
  readonly star_count: number;
  readonly is_official: boolean;
  readonly name: string;
  readonly is_automated: boolean;
  readonly description: string;
}
