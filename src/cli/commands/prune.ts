import type {
  ContainersPruneResponse,
  ImagesPruneResponse,
  NetworksPruneResponse,
  VolumesPruneResponse,
} from '#api/types';
import type { Context } from '../context.ts';
import type { Filter } from '../flags/index.ts';
import { decimalSize } from '../format/units.ts';
import { encodeFilters } from './filters.ts';

/** What one kind of prune removed: lines to print, and bytes. */
export interface Pruned {
  readonly text: string;
  readonly bytes: number;
}

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

async function prune<T>(context: Context, noun: string, filter: Filter): Promise<T> {
  const filters = encodeFilters(withConfigured(context, filter));
  return context.engine.json<T>({ method: 'POST', path: `/${noun}/prune`, query: { filters } });
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

/** `all`: volumes with names too. */
export async function pruneVolumes(context: Context, filter: Filter, all: boolean): Promise<Pruned> {
  const report = await prune<VolumesPruneResponse>(
    context,
    'volumes',
    all ? { ...filter, all: ['true'] } : filter,
  );
  return { text: block('Deleted Volumes:', report.VolumesDeleted ?? []), bytes: report.SpaceReclaimed };
}

/** `all`: images with tags too. */
export async function pruneImages(context: Context, filter: Filter, all: boolean): Promise<Pruned> {
  const report = await prune<ImagesPruneResponse>(context, 'images', { ...filter, dangling: [String(!all)] });
  const lines = (report.ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
    Untagged === undefined || Untagged === '' ? `deleted: ${Deleted ?? ''}` : `untagged: ${Untagged}`,
  );
  return { text: block('Deleted Images:', lines), bytes: report.SpaceReclaimed };
}

/** Prints what was removed, and the total. */
export function report(context: Context, pruned: readonly Pruned[]): void {
  for (const { text } of pruned) if (text !== '') context.out.write(`${text}\n`);
  const bytes = pruned.reduce((sum, part) => sum + part.bytes, 0);
  context.out.write(`Total reclaimed space: ${decimalSize(bytes)}\n`);
}
