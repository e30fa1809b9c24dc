import { access } from 'node:fs/promises';
import type { ContainerConfig, ContainerCreateRequest, HostConfig } from '#api/types';
import { conflict, invalidArgument, messageOf, newId, prefixErrors, shortId } from '#kernel';
import type { ImageRecord } from '#images';
import { formatPlatform, hostPlatform, matchesPlatform, parsePlatform, type Platform } from '#oci';
import type { ContainerContext } from '../context.ts';
import type { ContainerRecord } from '../container-record.ts';
import { securityWarnings } from '../spec/security-options.ts';
import { containerOfSnapshot, holdImages } from '../held-images.ts';
import { askedLinks, settleLinks } from '../links.ts';
import { sharedContainer } from '../start/namespaces.ts';

import { validateLogConfig } from '../start/log-config.ts';
import { portRequests } from '../start/ports.ts';
import { discardUnsupported } from './discard-unsupported.ts';
import { normalizeHostConfig } from './host-config.ts';
import { mergeConfig } from './merge-config.ts';
import { settleMounts, type MountHost } from './mounts.ts';
import { checkName, makeUpName } from './names.ts';
import { validateNetwork } from './network-request.ts';
import { storageLimit } from './storage-limit.ts';
import { validate } from './validate.ts';

export interface Created {
  readonly id: string;
  readonly warnings: readonly string[];
}

/** Checks a request, fills in what it leaves open, prepares its writable layer and records it. */
export async function createContainer(
  ctx: ContainerContext,
  request: ContainerCreateRequest,
  options: { name?: string; platform?: string; signal: AbortSignal },
): Promise<Created> {
  const { images, snapshots, clock } = ctx.options;
  const askedName = options.name ? checkName(options.name) : undefined;
  // The name is held from here on, so that of two requests one fails before it makes anything.
  await using _lock = await ctx.locks.acquire(
    askedName === undefined ? 'name' : `name:${askedName}`,
    options,
  );
  if (!request.Image) throw imageless(request);
  // Where an index has been kept whole, another platform of it is unpacked now.
  const image = options.platform
    ? await images.select(request.Image, parsePlatform(options.platform), options)
    : images.get(request.Image);
  const foreign = options.platform ? [] : platformWarning(image.config);
  const id = newId();
  const { config, hostConfig, warnings } = settleConfig(ctx, id, request, image);
  const endpoints = validateNetwork(config, hostConfig, request, ctx);
  const links = askedLinks(ctx, hostConfig);
  validateLogConfig(hostConfig);
  portRequests(config, hostConfig);
  const sizeLimit = storageLimit(hostConfig.StorageOpt ?? {});
  const holder = askedName === undefined ? undefined : ctx.store.holderOf(askedName);
  if (askedName !== undefined && holder !== undefined) throw nameTaken(askedName, holder);
  const name = askedName ?? makeUpName((made) => ctx.store.holderOf(made) !== undefined);
  const made: string[] = [];
  try {
    const mounts = await settleMounts(config, hostConfig, mountHost(ctx, made));
    await snapshots.prepare(id, image.chainId, sizeLimit);
    await holdImages(ctx, id, mounts);
    const record: ContainerRecord = {
      id,
      name,
      createdAt: clock.now(),
      imageName: request.Image,
      imageId: image.id,
      config,
      // The endpoints have them, or settleLinks() says what they are.
      hostConfig: { ...hostConfig, Links: null },
      endpoints,
      mounts,
      state: { status: 'created' },
      restartCount: 0,
      stoppedByUser: false,
      ...(links.length > 0 && { links }),
    };
    ctx.store.put(record);
    if (links.length > 0) settleLinks(ctx);
    ctx.publish(record, 'create');
    return { id, warnings: [...foreign, ...warnings] };
  } catch (error) {
    await undo(ctx, id, made);
    throw error;
  }
}

/** Why a request without an image cannot be. */
function imageless(request: ContainerCreateRequest): Error {
  const isEmpty = Object.keys(request).every((name) => name === 'HostConfig' || name === 'NetworkingConfig');
  return invalidArgument(
    isEmpty ? 'config cannot be empty in order to create a container' : 'no command specified',
  );
}

/** What a request means here: defaults and the image's settings filled in, what this host lacks left out. */
function settleConfig(
  ctx: ContainerContext,
  id: string,
  request: ContainerCreateRequest,
  image: ImageRecord,
): { readonly config: ContainerConfig; readonly hostConfig: HostConfig; readonly warnings: string[] } {
  const { defaults, host } = ctx.options;
  const { host: possible, warnings } = discardUnsupported(request.HostConfig ?? {}, host.kernel);
  const merged = mergeConfig(request, image.config.config ?? {});
  const normal = normalizeHostConfig(possible, defaults);
  validate(merged, normal, host);
  const hostConfig = withIds(normal, (ref) => ctx.store.get(ref).id);
  const published = Object.keys(hostConfig.PortBindings ?? {}).length > 0;
  return {
    config: named(id, merged, hostConfig, host.hostname),
    hostConfig,
    warnings: [
      ...warnings,
      ...securityWarnings(hostConfig.SecurityOpt ?? [], host.apparmor),
      ...(hostConfig.NetworkMode === 'host' && published
        ? ['Published ports are discarded when using host network mode']
        : []),
    ],
  };
}

/** Where no platform is asked for, a warning if the image is not for this host. */
function platformWarning(image: Platform): readonly string[] {
  const own = hostPlatform();
  if (matchesPlatform(own, image)) return [];
  return [
    `The requested image's platform (${formatPlatform(image)}) does not match the detected host platform (${formatPlatform(own)}) and no specific platform was requested`,
  ];
}

const nameTaken = (name: string, holder: string): Error =>
  conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );

async function undo(ctx: ContainerContext, id: string, volumes: readonly string[]): Promise<void> {
  const { logger } = ctx.options;
  const report = (error: unknown): void => {
    logger.warn({ container: id, error: messageOf(error) }, 'undoing a failed create left something behind');
  };
  for (const { key } of ctx.options.snapshots.list()) {
    if (containerOfSnapshot(key) === id) await ctx.options.snapshots.remove(key).catch(report);
  }
  for (const volume of volumes) await ctx.options.volumes.remove(volume).catch(report);
}

function mountHost(ctx: ContainerContext, anonymous: string[]): MountHost {
  return {
    async createVolume(spec) {
      const volume = await ctx.options.volumes.create(spec);
      if (volume.anonymous) anonymous.push(volume.name);
      return volume;
    },
    exists: (path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    image(name) {
      const { id, chainId } = ctx.options.images.get(name);
      if (chainId === undefined) throw invalidArgument(`the image ${name} has no files to mount`);
      return { name, id, chainId };
    },
    // Not 404: clients would take that for the image and pull it.
    mountsOf: (ref) => prefixErrors('', () => ctx.store.get(ref).mounts, 'invalidArgument'),
  };
}

/** Modes that name another container name it by its id, which stays when that one is renamed. Throws invalidArgument. */
function withIds(host: HostConfig, idOf: (ref: string) => string): HostConfig {
  const resolved = (mode: string | undefined): string | undefined => {
    const ref = sharedContainer(mode);
    // Not 404: clients would take that for the image and pull it.
    return ref === undefined ? mode : `container:${prefixErrors('', () => idOf(ref), 'invalidArgument')}`;
  };
  const ifKnown = (mode: string): string => {
    try {
      return resolved(mode) ?? '';
    } catch {
      return mode;
    }
  };
  const { PidMode = '', IpcMode = '', NetworkMode = '' } = host;
  return {
    ...host,
    PidMode: resolved(PidMode) ?? '',
    IpcMode: resolved(IpcMode) ?? '',
    // A network is looked up at the start: only then is it an error that its container is missing.
    NetworkMode: ifKnown(NetworkMode),
  };
}

/** The hostname: as asked, the host's own with its network, none with another container's, or the short id. */
function named(id: string, config: ContainerConfig, host: HostConfig, hostname: string): ContainerConfig {
  if (config.Hostname) return config;
  if (host.NetworkMode === 'host') return { ...config, Hostname: hostname };
  if (sharedContainer(host.NetworkMode) !== undefined) return config;
  return { ...config, Hostname: shortId(id) };
}
