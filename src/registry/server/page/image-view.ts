import type { Descriptor } from '#oci';
import type { ManifestEntry } from '../registry-store.ts';
import { markup, type Markup, type Part } from './markup.ts';
import type {
  ArtifactDetails,
  HistoryStep,
  ImageDetails,
  IndexDetails,
  ManifestDetails,
} from './image-reader.ts';
import {
  copyButton,
  crumbs,
  documentMoment,
  nothing,
  referencePath,
  repositoryPath,
  share,
  shortDigest,
  size,
} from './layout.ts';
import { deleteLink } from './repository-view.ts';

export interface ImageView {
  readonly repository: string;
  /** A tag or a digest: what was asked for. */
  readonly reference: string;
  readonly details: ManifestDetails;
  /** Tags that stand at the manifest. */
  readonly tags: readonly string[];
  readonly referrers: readonly ManifestEntry[];
  /** Bytes of a child by its digest; of what is not here there is nothing. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Bytes of everything that belongs to it. */
  readonly total: number;
  readonly host: string;
  readonly mayDelete: boolean;
  readonly immutable: boolean;
  readonly now: bigint;
}

/** A manifest and what it consists of. */
export function imageView(view: ImageView): Markup {
  const { repository, reference, details, host } = view;
  const isTag = !reference.includes(':');
  const shown = isTag ? reference : reference.slice(0, reference.indexOf(':') + 13);
  const name = `${host}/${repository}${isTag ? ':' : '@'}${reference}`;
  const { content } = details;
  return markup`${crumbs(markup`<a href="${repositoryPath(repository)}">${repository}</a>`, shown)}
<div class="head"><h1>${isTag ? markup`<span class="path">${repository}:</span>${reference}` : markup`<span class="path">${repository}@</span><code>${shown}…</code>`}</h1>
${isTag && view.mayDelete && !view.immutable && deleteLink(repository, reference, 'Delete tag')}${isTag && view.immutable && markup`<span class="badge">immutable</span>`}</div>
<div class="command">${content.kind === 'artifact' ? markup`<code>${name}</code>${copyButton(name, 'the reference')}` : markup`<code class="typed">docker pull ${name}</code>${copyButton(`docker pull ${name}`, 'the command')}`}</div>
${facts(view)}
${content.kind === 'index' && platforms(view, content)}
${content.kind === 'image' && image(content)}
${content.kind === 'artifact' && artifact(content)}
${referrers(view)}
${pairs('Annotations', details.annotations)}
<details class="card"><summary>Manifest</summary><pre><code>${pretty(details.text)}</code></pre></details>`;
}

const kinds = { image: 'Image', index: 'Image for several platforms', artifact: 'Artifact' };

function facts({ repository, details, tags, total, now }: ImageView): Markup {
  const { content, digest, mediaType, subject } = details;
  const created = content.kind === 'image' ? documentMoment(content.created, now) : undefined;
  const rows: readonly (readonly [string, Part])[] = [
    [
      'Kind',
      content.kind === 'artifact'
        ? markup`${kinds.artifact} <span class="muted">${content.type}</span>`
        : kinds[content.kind],
    ],
    [
      'Platform',
      content.kind === 'image' &&
        content.platform !== '' &&
        markup`<span class="badge">${content.platform}</span>`,
    ],
    ['Size', size(total)],
    ['Created', created],
    ['Author', content.kind === 'image' && content.author],
    ['Digest', markup`<code class="whole">${digest}</code>${copyButton(digest, 'the digest')}`],
    ['Media type', markup`<code class="whole">${mediaType}</code>`],
    [
      'Tags',
      tags.length > 0 &&
        markup`<span class="badges">${tags.map((tag) => markup`<a class="badge" href="${referencePath(repository, tag)}">${tag}</a>`)}</span>`,
    ],
    [
      'Belongs to',
      subject !== undefined &&
        markup`<a href="${referencePath(repository, subject)}">${shortDigest(subject)}</a>`,
    ],
  ];
  return definitions(rows);
}

const definitions = (rows: readonly (readonly [string, Part])[], kind = ''): Markup =>
  markup`<dl class="card definitions ${kind}">${rows
    .filter(([, value]) => value !== undefined && value !== false && value !== '')
    .map(([name, value]) => markup`<div><dt>${breakable(name)}</dt><dd>${value}</dd></div>`)}</dl>`;

function platforms({ repository, sizes }: ImageView, { children }: IndexDetails): Markup {
  return markup`<section><h2>Platforms</h2>
<table class="rows platforms"><thead><tr><th scope="col">Platform</th><th scope="col">Digest</th><th scope="col" class="end">Size</th></tr></thead>
<tbody>${children.map(({ digest, platform, about }) => {
    const bytes = sizes.get(digest);
    const name = about === undefined ? platform : 'attestation';
    return markup`<tr><th scope="row">${bytes === undefined ? name : markup`<a class="name" href="${referencePath(repository, digest)}">${name}</a>`}${about !== undefined && markup` <span class="muted">of ${shortDigest(about)}</span>`}</th>
<td data-label="Digest">${shortDigest(digest)}</td>
<td class="end" data-label="Size">${bytes === undefined ? markup`<span class="muted">not here</span>` : size(bytes)}</td></tr>`;
  })}</tbody></table></section>`;
}

function image(details: ImageDetails): Markup {
  const { layers, steps, settings, labels } = details;
  const largest = Math.max(1, ...layers.map((layer) => layer.size));
  return markup`<section><h2>Layers <span class="count">${layers.length}</span></h2>
${steps.length === 0 ? nothing('This image has no layers.') : markup`<ol class="steps">${steps.map((one) => step(one, largest))}</ol>`}</section>
${settings.length > 0 && markup`<section><h2>Configuration</h2>${definitions(settings.map(([name, values]) => [name, markup`<ul class="values">${values.map((value) => markup`<li><code>${value}</code></li>`)}</ul>`]))}</section>`}
${pairs('Labels', labels)}`;
}

/** Commands of shells and of BuildKit are shown without what they all begin with. */
const plain = (command: string): string =>
  command
    .replace(/^\/bin\/sh -c #\(nop\) +/, '')
    .replace(/^(?:RUN )?\/bin\/sh -c /, 'RUN ')
    .replace(/ # buildkit$/, '')
    .trim();

function step({ command, comment, layer }: HistoryStep, largest: number): Markup {
  const text = plain(command) || comment || 'A layer without a history';
  return markup`<li class="${layer ? 'made' : 'empty'}">
<code class="done">${text}</code>
${layer && markup`<span class="weight">${share(layer.size, largest)}${size(layer.size)}</span><span class="which">${shortDigest(layer.digest)} <span class="muted">${compression(layer.mediaType)}</span></span>`}
</li>`;
}

const compression = (mediaType: string): string =>
  /[+.](gzip|zstd)$/.exec(mediaType)?.[1] ?? (/tar$/.test(mediaType) ? 'tar' : mediaType);

function artifact({ files }: ArtifactDetails): Markup {
  return markup`<section><h2>Files <span class="count">${files.length}</span></h2>
<table class="rows"><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col" class="end">Size</th></tr></thead>
<tbody>${files.map(file)}</tbody></table></section>`;
}

const file = ({ digest, mediaType, size: bytes, annotations }: Descriptor): Markup =>
  markup`<tr><th scope="row">${annotations?.['org.opencontainers.image.title'] ?? shortDigest(digest)}</th>
<td data-label="Type"><span class="muted">${mediaType}</span></td><td class="end" data-label="Size">${size(bytes)}</td></tr>`;

function referrers({ repository, referrers: found }: ImageView): Markup | undefined {
  if (found.length === 0) return undefined;
  return markup`<section><h2>Referrers <span class="count">${found.length}</span></h2>
<table class="rows"><thead><tr><th scope="col">Type</th><th scope="col">Digest</th><th scope="col">Annotations</th></tr></thead>
<tbody>${found.map(
    ({
      digest,
      artifactType,
      mediaType,
      annotations,
    }) => markup`<tr><th scope="row"><a class="name" href="${referencePath(repository, digest)}">${artifactType ?? mediaType}</a></th>
<td data-label="Digest">${shortDigest(digest)}</td>
<td data-label="Annotations"><span class="muted">${Object.entries(annotations ?? {})
      .slice(0, 3)
      .map(([name, value]) => markup`${name}=${value} `)}</span></td></tr>`,
  )}</tbody></table></section>`;
}

function pairs(title: string, entries: readonly (readonly [string, string])[]): Markup | undefined {
  if (entries.length === 0) return undefined;
  const rows = entries.map(([name, value]): [string, Part] => [
    name,
    markup`<span class="whole">${value === '' ? '""' : value}</span>`,
  ]);
  return markup`<section><h2>${title}</h2>${definitions(rows, 'long')}</section>`;
}

/** Names in dots are broken behind one. */
const breakable = (name: string): readonly Part[] =>
  name.split(/(?<=[.])/).flatMap((part) => [part, markup`<wbr>`]);

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
