import type {
  ContainersPruneResponse,
  ImagesPruneResponse,
  NetworksPruneResponse,
  VolumesPruneResponse,
} from '#api/types';
import type { Context } from '../context.ts';
import { bool } from '../flags/index.ts';
import type { Filter } from '../flags/index.ts';
import { decimalSize } from '../format/units.ts';
import { encodeFilters } from './filters.ts';

/** What one kind of prune removed: lines to print, and bytes. */
export interface Pruned {
  readonly text: string;
  readonly bytes: number;
  /** Whether it is kept for a while, to be brought back. */
  readonly binned?: boolean;
}

/** What and how to prune. */
export interface PruneOptions {
  readonly filter: Filter;
  /** Things that somebody named, too. */
  readonly all: boolean;
  /** For good, with what earlier prunes put into the bin. */
  readonly now: boolean;
}

/** The flag of prunes that have a bin. */
export const nowFlag = bool('Free the space at once: nothing can be brought back');

/** Adds the conditions that config.json sets for every prune, without repeating or contradicting the command's. */
function withConfigured(context: Context, filter: Filter): Filter {
  const merged: Record<string, readonly string[]> = { ...filter };
  for (const text of context.config.data.pruneFilters ?? []) {
    const at = text.indexOf('=');
    if (at < 0) continue;
    const [name, value] = [text.slice(0, at), text.slice(at + 1)];
    const opposite = name === 'label' ? 'label!' : name === 'label!' ? 'label' : '';
    if (merged[opposite]?.includes(value)) continue;
    merged[name] = [...(merged[name] ?? []), value];
  }
  return merged;
}

async function prune<T>(context: Context, noun: string, filter: Filter, now = false): Promise<T> {
  const query = { filters: encodeFilters(withConfigured(context, filter)), ...(now && { now }) };
  return context.engine.json<T>({ method: 'POST', path: `/${noun}/prune`, query });
}

const block = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `${title}\n${lines.map((line) => `${line}\n`).join('')}`;

export async function pruneContainers(context: Context, filter: Filter): Promise<Pruned> {
  const report = await prune<ContainersPruneResponse>(context, 'containers', filter);
  return { text: block('Deleted Containers:', report.ContainersDeleted ?? []), bytes: report.SpaceReclaimed };
}

export async function pruneNetworks(context: Context, filter: Filter): Promise<Pruned> {
  const report = await prune<NetworksPruneResponse>(context, 'networks', filter);
  return { text: block('Deleted Networks:', report.NetworksDeleted ?? []), bytes: 0 };
}

export async function pruneVolumes(context: Context, { filter, all, now }: PruneOptions): Promise<Pruned> {
  const which = all ? { ...filter, all: ['true'] } : filter;
  const report = await prune<VolumesPruneResponse>(context, 'volumes', which, now);
  const text = block('Deleted Volumes:', report.VolumesDeleted ?? []);
  return { text, bytes: report.SpaceReclaimed, binned: report.Wharf?.Binned ?? false };
}

export async function pruneImages(context: Context, { filter, all, now }: PruneOptions): Promise<Pruned> {
  const which = { ...filter, dangling: [String(!all)] };
  const report = await prune<ImagesPruneResponse>(context, 'images', which, now);
  const lines = (report.ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
    Untagged === undefined || Untagged === '' ? `deleted: ${Deleted ?? ''}` : `untagged: ${Untagged}`,
  );
  const text = block('Deleted Images:', lines);
  return { text, bytes: report.SpaceReclaimed, binned: report.Wharf?.Binned ?? false };
}

/** Prints what was removed, and the total. */
export function report(context: Context, pruned: readonly Pruned[]): void {
  for (const { text } of pruned) if (text !== '') context.out.write(`${text}\n`);
  const bytes = pruned.reduce((sum, part) => sum + part.bytes, 0);
  context.out.write(`Total reclaimed space: ${decimalSize(bytes)}\n`);
  if (!pruned.some(({ binned }) => binned)) return;
  const { program } = context;
  context.err.write(
    `Images and volumes are kept for a while: ${program} system undo brings them back, prune --now frees the space\n`,
  );
}
