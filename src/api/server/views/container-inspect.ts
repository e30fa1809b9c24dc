import type { ContainerInspectResponse, MountPoint } from '#api/types';
import type { ContainerRecord, LiveNetwork } from '#containers';
import { formatTime } from '#kernel';
import { viewConfig, viewHostConfig } from './container-config.ts';
import { viewNetworkSettings, type NetworkIds } from './container-network.ts';
import { viewState } from './container-state.ts';
import { viewWharfFacts } from './wharf-facts.ts';

/** What a container's inspection tells beyond its record. */
export interface InspectFacts {
  readonly live: LiveNetwork | undefined;
  readonly networkIds: NetworkIds;
  readonly logPath: string;
  readonly apparmorProfile: string;
  readonly execIds: readonly string[];
  /** Name of the snapshotter. */
  readonly storageDriver: string;
  /** The files mounted over /etc, if they exist. */
  readonly files: ContainerFiles | undefined;
  /** The folders that its root is made of, where it is an overlay. */
  readonly folders: RootFolders | undefined;
  readonly size: { readonly sizeRw: number; readonly sizeRootFs: number } | undefined;
}

/** Host paths of the files that a container sees under /etc. */
export interface ContainerFiles {
  readonly resolvConf: string;
  readonly hostname: string;
  readonly hosts: string;
}

/** Host paths of the layers of a container's root, from the top to the base, and of where it is mounted. */
export interface RootFolders {
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
}

function viewFolders(
  record: ContainerRecord,
  folders: RootFolders | undefined,
): Readonly<Record<string, string>> {
  if (!folders) return {};
  const { lower, upper, work, merged } = folders;
  return { ID: record.id, LowerDir: lower.join(':'), MergedDir: merged, UpperDir: upper, WorkDir: work };
}

/** Entrypoint and command in one: what the container runs. */
export function commandOf(record: ContainerRecord): readonly string[] {
  return [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
}

/** GET /containers/{id}/json. */
export function viewContainer(record: ContainerRecord, facts: InspectFacts): ContainerInspectResponse {
  const [path = '', ...args] = commandOf(record);
  const wharf = viewWharfFacts(record);
  return {
    Id: record.id,
    Created: formatTime(record.createdAt),
    Path: path,
    Args: args,
    State: viewState(record),
    Image: record.imageId,
    ResolvConfPath: facts.files?.resolvConf ?? '',
    HostnamePath: facts.files?.hostname ?? '',
    HostsPath: facts.files?.hosts ?? '',
    LogPath: facts.logPath,
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: facts.storageDriver,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: facts.apparmorProfile,
    ExecIDs: facts.execIds.length > 0 ? facts.execIds : null,
    HostConfig: viewHostConfig(record.hostConfig),
    GraphDriver: { Name: facts.storageDriver, Data: viewFolders(record, facts.folders) },
    ...(facts.size && { SizeRw: facts.size.sizeRw, SizeRootFs: facts.size.sizeRootFs }),
    Mounts: viewMounts(record),
    Config: viewConfig(record.config),
    NetworkSettings: viewNetworkSettings(record, facts.live, facts.networkIds),
    ...(wharf && { Wharf: wharf }),
  };
}

/** The `Mounts` of inspect and lists; those of `--tmpfs` only stand in HostConfig. */
export function viewMounts(record: ContainerRecord): readonly MountPoint[] {
  const tmpfs = record.hostConfig.Tmpfs ?? {};
  return record.mounts
    .filter((mount) => mount.type !== 'tmpfs' || !(mount.destination in tmpfs))
    .map((mount) => ({
      Type: mount.type,
      ...(mount.name !== undefined && { Name: mount.name }),
      ...(mount.image && { Name: mount.image.name }),
      Source: mount.type === 'tmpfs' ? '' : mount.source,
      Destination: mount.destination,
      ...(mount.type === 'volume' && { Driver: 'local' }),
      Mode: mount.mode,
      RW: mount.rw,
      Propagation: mount.propagation,
    }));
}
