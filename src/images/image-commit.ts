import type { Archiver } from '#archive';
import type { ContentStore } from '#content';
import type { EventSink } from '#events';
import { formatTime, type Clock } from '#kernel';
import { mediaTypes, type Descriptor, type Digest, type ImageConfig, type Platform } from '#oci';
import type { Snapshotter } from '#snapshots';
import type { Claim, Claims } from './claims.ts';
import { imageAttributes, publishTag } from './image-events.ts';
import { noSuchImage, tagNameOf, type ImageIndex } from './image-index.ts';
import type { ImageIntake } from './image-intake.ts';
import type { CommitSpec } from './images.ts';
import type { ImageModel } from './stored-image.ts';

export interface ImageCommitOptions {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Archiver;
  readonly claims: Claims;
  readonly index: ImageIndex;
  readonly intake: ImageIntake;
  readonly clock: Clock;
  readonly platform: Platform;
  readonly events: EventSink;
  readonly engineVersion?: string;
}

/** `docker commit`: a container's writable layer on top of the image it was made from. */
export class ImageCommit {
  readonly #options: ImageCommitOptions;

  constructor(options: ImageCommitOptions) {
    this.#options = options;
  }

  async commit(spec: CommitSpec, signal: AbortSignal): Promise<Digest> {
    const { claims, intake, index, events } = this.#options;
    const names = spec.reference === undefined ? [] : [tagNameOf(spec.reference)];
    const parent = spec.parent && index.byId(spec.parent)?.model;
    if (spec.parent && !parent) throw noSuchImage(spec.parent);
    const before: readonly Descriptor[] = parent?.layers ?? [];
    const platform = parent?.config ?? this.#options.platform;
    await using claim = claims.open();
    for (const digest of parent?.blobs ?? []) await claim.blob(digest);
    const layer = await this.#writeLayer(spec.containerId, claim, signal);
    const config = Buffer.from(JSON.stringify(this.#configure(spec, parent, layer)));
    const configuration = await intake.put(claim, mediaTypes.dockerConfig, config);
    const target = await intake.putManifest(claim, configuration, layer ? [...before, layer] : before);
    const { model } = await intake.admit(target, { names, given: 'hand', platform, claim, signal });
    events.publish('image', 'create', model.id, imageAttributes(model.id, model.config));
    this.#adopt(model, parent);
    for (const name of names) publishTag(events, model, name);
    return model.id;
  }

  #adopt({ id }: ImageModel, parent: ImageModel | undefined): void {
    if (parent && parent.id !== id) this.#options.index.adopt(id, parent.id);
  }

  /** The container's changes as a blob; undefined where there are none. */
  async #writeLayer(container: string, claim: Claim, signal: AbortSignal): Promise<Descriptor | undefined> {
    const { archiver, snapshots, content } = this.#options;
    const { stream, done } = archiver.diffLayer({ mounts: snapshots.mounts(container), signal });
    // Awaited below; a failure of the stream is seen there first.
    done.catch(() => undefined);
    await using ingest = await content.ingest();
    for await (const chunk of stream as AsyncIterable<Uint8Array>) await ingest.write(chunk);
    const { entries } = await done;
    if (entries === 0) return undefined;
    return { mediaType: mediaTypes.dockerLayer, ...(await claim.land(ingest)) };
  }

  #configure(spec: CommitSpec, parent: ImageModel | undefined, layer: Descriptor | undefined): ImageConfig {
    const base = parent?.config;
    const { os, architecture, variant } = base ?? this.#options.platform;
    const created = spec.history.created ?? formatTime(this.#options.clock.now());
    const entry = { ...spec.history, created, ...(!layer && { empty_layer: true }) };
    const diffIds = base?.rootfs.diff_ids ?? [];
    return {
      architecture,
      ...(spec.author !== undefined && spec.author !== '' && { author: spec.author }),
      config: spec.config,
      container: spec.containerId,
      ...(spec.containerConfig && { container_config: spec.containerConfig }),
      created,
      ...(this.#options.engineVersion !== undefined && { docker_version: this.#options.engineVersion }),
      history: [...(base?.history ?? []), entry],
      os,
      rootfs: { type: 'layers', diff_ids: layer ? [...diffIds, layer.digest] : diffIds },
      ...(variant !== undefined && { variant }),
    };
  }
}
