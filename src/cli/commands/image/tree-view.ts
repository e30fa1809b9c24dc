import type { ImageManifestSummary, ImageSummary } from '#api/types';
import { shortId } from '#kernel';
import { formatPlatform } from '#oci';
import { decimalSize } from '../../format/units.ts';

interface Line {
  readonly name: string;
  readonly id: string;
  readonly usage: string;
  readonly content: string;
  readonly inUse: boolean;
}

/** Columns that a line has beside the name, and what separates columns. */
const widths = { id: 12, usage: 10, content: 12, extra: 5 };
const gap = '   ';
const legend = 'Info ->  U In Use ';
const leastName = 12;

/** `image ls --tree`: each image with its platforms below it. `columns`: of the terminal. */
export function renderTree(images: readonly ImageSummary[], columns: number): string {
  const trees = images.map((image) => ({ names: namesOf(image), ...linesOf(image) }));
  const beside = Object.values(widths).reduce((sum, width) => sum + width + gap.length, 0);
  // As the reference counts: the branch in bytes.
  const widest = Math.max(
    'IMAGE'.length,
    ...trees.flatMap(({ names, children }) => [
      ...names.map((name) => name.length),
      ...children.map(({ name }) => name.length + Buffer.byteLength('├─ ')),
    ]),
  );
  const width = Math.min(widest, Math.max(columns - beside, leastName));
  const lines = [legend.padStart(columns), '', headOf(width)];
  for (const { names, image, children } of trees) {
    for (const name of names.slice(0, -1)) lines.push(cut(name, width));
    lines.push(rowOf({ ...image, name: names.at(-1) ?? '' }, width));
    children.forEach((child, n) => {
      const branch = n === children.length - 1 ? '└─ ' : '├─ ';
      lines.push(rowOf({ ...child, name: branch + child.name }, width));
    });
    lines.push('');
  }
  return `${lines.join('\n')}\n`;
}

const namesOf = ({ RepoTags }: ImageSummary): readonly string[] =>
  RepoTags.length > 0 ? RepoTags.toReversed() : ['<untagged>'];

function linesOf(image: ImageSummary): {
  readonly image: Omit<Line, 'name'>;
  readonly children: readonly Line[];
} {
  const manifests = image.Manifests ?? [];
  const children = manifests.filter(isShown).map((manifest): Line => {
    const { ID, ImageData, Size } = manifest;
    return {
      name: ImageData ? formatPlatform(platformOf(ImageData.Platform)) : '',
      id: shortId(ID),
      usage: decimalSize(Size.Total, 3),
      content: decimalSize(Size.Content, 3),
      inUse: (ImageData?.Containers ?? []).length > 0,
    };
  });
  const content = manifests.reduce((sum, { Size }) => sum + Size.Content, 0);
  return {
    image: {
      id: shortId(image.Id),
      usage: decimalSize(image.Size, 3),
      content: decimalSize(content, 3),
      inUse: children.some(({ inUse }) => inUse),
    },
    children,
  };
}

const isShown = ({ Kind }: ImageManifestSummary): boolean => Kind === 'image';

const platformOf = ({
  os,
  architecture,
  variant,
}: NonNullable<ImageManifestSummary['ImageData']>['Platform']): Parameters<typeof formatPlatform>[0] => ({
  os,
  architecture,
  ...(variant !== undefined && { variant }),
});

const headOf = (width: number): string =>
  [
    'IMAGE'.padEnd(width),
    'ID'.padEnd(widths.id),
    'DISK USAGE'.padStart(widths.usage),
    'CONTENT SIZE'.padStart(widths.content),
    'EXTRA'.padEnd(widths.extra),
  ].join(gap);

const rowOf = ({ name, id, usage, content, inUse }: Line, width: number): string =>
  [
    cut(name, width).padEnd(width),
    id.padEnd(widths.id),
    usage.padStart(widths.usage),
    content.padStart(widths.content),
    (inUse ? 'U' : '').padEnd(widths.extra),
  ].join(gap);

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text;
