import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArchiver, type Archiver } from '#archive';
import { createLocalContentStore, type ContentStore } from '#content';
import { silentLogger, systemClock, type Logger } from '#kernel';
import { unmount } from '#linux';
import { Database, Leases } from '#metadata';
import { chainIds, parseManifest, type Digest } from '#oci';
import type { RegistryClient } from '#registry/client';
import { chooseSnapshotter, createCopySnapshotter, type Snapshotter } from '#snapshots';
import type { ImageUser } from '../image-removal.ts';
import type { ProgressEvent } from '../images.ts';
import { createImages } from '../local-images.ts';
import { MemoryRegistry } from './memory-registry.ts';

type Store = ReturnType<typeof createImages>;

export interface ImageStoreBench extends AsyncDisposable {
  readonly root: string;
  readonly db: Database;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly archiver: Archiver;
  readonly registry: MemoryRegistry;
  /** `action id name`, in order. */
  readonly events: string[];
  readonly warnings: object[];
  readonly images: Store;
  /** Another store over the same data, as after a restart of the daemon. */
  reopen(): Promise<Store>;
  /** What is there although no image needs it; empty when nothing leaks. */
  leftovers(): Promise<readonly string[]>;
}

export interface ImageStoreBenchOptions {
  readonly registry?: RegistryClient;
  /** Calls that fail: told the name of a method before it does anything, throws to make it fail. */
  readonly before?: (call: string) => void;
  /** Layers as full copies instead of overlays. */
  readonly copies?: boolean;
  users?(image: Digest): readonly ImageUser[];
}

/** The same object, telling `before` about each call of these methods. */
function watched<T extends object>(
  target: T,
  methods: readonly string[],
  before: (call: string) => void,
  name: string,
): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]): unknown => {
        if (typeof key === 'string' && methods.includes(key)) before(`${name}.${key}`);
        const result: unknown = Reflect.apply(value, object, parameters);
        if (name !== 'content' || key !== 'ingest') return result;
        // The contract of ContentStore.ingest().
        return (result as Promise<object>).then((ingest) =>
          watched(ingest, ['write', 'commit'], before, 'ingest'),
        );
      };
    },
  });
}

/** An image store in a folder of its own, with real snapshots; needs root. */
export async function openImageStore(options: ImageStoreBenchOptions = {}): Promise<ImageStoreBench> {
  const root = mkdtempSync(join(tmpdir(), 'wharf-images-'));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  const db = stack.use(new Database(join(root, 'wharf.db')));
  const leases = new Leases(db, systemClock);
  const content = createLocalContentStore({ root: join(root, 'content') });
  const archiver = stack.use(createArchiver());
  const folder = join(root, 'snapshots');
  stack.defer(() => {
    try {
      unmount(folder, { lazy: true });
    } catch {
      // It was no mount.
    }
  });
  const layering = { root: folder, db, clock: systemClock, logger: silentLogger, archiver };
  const { snapshotter } = options.copies
    ? { snapshotter: createCopySnapshotter(layering) }
    : chooseSnapshotter(layering);
  const snapshots = stack.use(snapshotter);
  const registry = new MemoryRegistry();
  const events: string[] = [];
  const warnings: object[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => warnings.push(fields) };
  const before = options.before ?? ((): void => undefined);
  const make = (): Store =>
    createImages({
      db,
      leases,
      content: watched(
        content,
        ['ingest', 'put', 'get', 'find', 'openStream', 'read', 'path'],
        before,
        'content',
      ),
      snapshots: watched(snapshots, ['prepare', 'commit'], before, 'snapshots'),
      archiver: watched(archiver, ['applyLayer', 'diffLayer'], before, 'archiver'),
      registry: options.registry ?? registry,
      events: {
        publish: (_type, action, id, attributes) => events.push(`${action} ${id} ${attributes.name ?? ''}`),
      },
      clock: systemClock,
      logger,
      platform: { os: 'linux', architecture: 'amd64' },
      users: (image) => options.users?.(image) ?? [],
      retryDelay: () => 1,
      helloWorldPatience: 1000,
    });
  const start = async (): Promise<Store> => {
    leases.start();
    const images = make();
    await images.start();
    return images;
  };
  await content.start();
  await snapshots.start();
  let images = await start();
  return {
    ...{ root, db, content, snapshots, archiver, registry, events, warnings },
    get images() {
      return images;
    },
    reopen: async () => (images = await start()),
    leftovers: () => findLeftovers({ root, db, content, snapshots, images }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function findLeftovers(
  store: Pick<ImageStoreBench, 'root' | 'db' | 'content' | 'snapshots' | 'images'>,
): Promise<readonly string[]> {
  const { root, db, content, snapshots, images } = store;
  const needed = new Set<string>();
  for (const { target, manifest, config, id } of images.list()) {
    for (const digest of [target.digest, manifest.digest, id]) needed.add(digest);
    for (const { digest } of parseManifest(await content.read(manifest.digest)).layers) needed.add(digest);
    for (const chainId of chainIds(config.rootfs.diff_ids)) needed.add(chainId);
  }
  const found: string[] = [];
  for await (const { digest } of content.walk()) if (!needed.has(digest)) found.push(`blob ${digest}`);
  for (const { key } of snapshots.list()) if (!needed.has(key)) found.push(`snapshot ${key}`);
  for (const name of readdirSync(join(root, 'content', 'ingest'))) found.push(`ingest ${name}`);
  for (const row of db.all('SELECT id FROM leases')) found.push(`lease ${String(row.id)}`);
  return found;
}

/** Options of a transfer that collect what it reports. */
export function transfer(signal = new AbortController().signal): {
  readonly signal: AbortSignal;
  readonly events: ProgressEvent[];
  /** Statuses and stream texts, one line each. */
  readonly lines: string[];
  report(event: ProgressEvent): void;
} {
  const events: ProgressEvent[] = [];
  const lines: string[] = [];
  return {
    signal,
    events,
    lines,
    report: (event) => {
      events.push(event);
      const text = event.status ?? event.stream?.trimEnd() ?? JSON.stringify(event.aux);
      lines.push(event.id === undefined ? text : `${event.id} ${text}`);
    },
  };
}
