import type { ContainerSummary } from '#api/types';
import { shortId } from '#kernel';
import { compareBytes } from '../../format/go-value.ts';
import type { Listing } from '../../format/listing.ts';
import { quote } from '../../format/quote.ts';
import { ago, goTime } from '../../format/time.ts';
import { decimalSize, ellipsis } from '../../format/units.ts';
import { formatPorts } from './ports.ts';

/** The table of `ps`. */
export const defaultFormat = (size: boolean): string =>
  'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}' +
  (size ? '\t{{.Size}}' : '');

const headers = {
  ID: 'CONTAINER ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
};

export interface ListingOptions {
  readonly truncate: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The columns of a list of containers. */
export const containerListing = ({ truncate, now }: ListingOptions): Listing<ContainerSummary> => ({
  typeName: '*formatter.ContainerContext',
  headers,
  failures: { parse: 'template parsing error', execute: 'failed to execute template' },
  columns: (container) => ({
    ID: () => (truncate ? shortId(container.Id) : container.Id),
    Names: () => formatNames(container.Names, truncate),
    Image: () => formatImage(container, truncate),
    Command: () => quote(truncate ? ellipsis(container.Command, 20) : container.Command),
    CreatedAt: () => goTime(container.Created * 1000),
    RunningFor: () => ago(container.Created * 1000, now),
    Ports: () => formatPorts(container.Ports),
    State: () => container.State,
    Status: () => container.Status,
    Size: () => formatSize(container),
    Labels: () => formatLabels(container.Labels),
    Label: (name) => (container.Labels as typeof container.Labels | null)?.[String(name)] ?? '',
    Mounts: () =>
      container.Mounts.map(({ Name, Source }) => Name || Source)
        .map((name) => (truncate ? ellipsis(name, 15) : name))
        .join(','),
    LocalVolumes: () => String(container.Mounts.filter(({ Driver }) => Driver === 'local').length),
    Networks: () => Object.keys(container.NetworkSettings.Networks).sort(compareBytes).join(','),
    Platform: () => null,
  }),
});

/** A link gives its target a second name, `/other/alias`: not shown in short lists. */
function formatNames(names: readonly string[], truncate: boolean): string {
  const stripped = names.map((name) => name.replace(/^\//, ''));
  return stripped.filter((name) => !truncate || !name.includes('/')).join(',');
}

function formatImage({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === '') return '<no image>';
  if (!truncate) return Image;
  const short = shortId(ImageID);
  if (short === shortId(Image)) return short;
  return Image.replace(/@sha256:[\da-f]{64}$/, '');
}

export const formatLabels = (labels: Readonly<Record<string, string>> | null | undefined): string =>
  Object.entries(labels ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort(compareBytes)
    .join(',');

function formatSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const size = decimalSize(SizeRw, 3);
  return SizeRootFs > 0 ? `${size} (virtual ${decimalSize(SizeRootFs, 3)})` : size;
}
