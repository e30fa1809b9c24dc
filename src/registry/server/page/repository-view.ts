import type { RepositorySummary } from '../inventory.ts';
import { markup, type Markup } from './markup.ts';
import { copyButton, crumbs, moment, nothing, referencePath, shortDigest, size } from './layout.ts';
import { filter, quotaBar, repositoryName } from './repositories-view.ts';

export interface TagRow {
  readonly name: string;
  readonly digest: string;
  /** Nothing for what is no image. */
  readonly platforms: readonly string[];
  /** What it is, where it is no image. */
  readonly artifactType: string | undefined;
  /** Bytes of everything that belongs to it. */
  readonly size: number;
  readonly pushedAt: bigint;
  readonly immutable: boolean;
}

export interface RepositoryView {
  readonly repository: RepositorySummary;
  readonly quota: number | undefined;
  readonly rows: readonly TagRow[];
  readonly query: string;
  readonly next: string | undefined;
  readonly host: string;
  readonly mayDelete: boolean;
  readonly now: bigint;
}

/** The tags of a repository. */
export function repositoryView(view: RepositoryView): Markup {
  const { repository, quota, rows, query, next } = view;
  const { name, tags, manifests, size: bytes } = repository;
  return markup`${crumbs(name)}
<div class="head"><h1>${repositoryName(name)}</h1>${filter(query, 'Find a tag')}</div>
<p class="facts"><span><b>${tags}</b> ${tags === 1 ? 'tag' : 'tags'}</span><span><b>${manifests}</b> ${manifests === 1 ? 'manifest' : 'manifests'}</span><span>${size(bytes)}${quota !== undefined && quotaBar(bytes, quota)}</span></p>
${
  rows.length === 0
    ? nothing(query === '' ? 'Nothing here has a tag.' : `No tag contains “${query}”.`)
    : markup`<table class="rows tags" data-filtered>
<thead><tr><th scope="col">Tag</th><th scope="col">Platforms</th><th scope="col">Digest</th><th scope="col" class="end">Size</th><th scope="col" class="end">Pushed</th><th scope="col"><span class="unseen">Actions</span></th></tr></thead>
<tbody>${rows.map((row) => line(view, row))}</tbody>
</table>`
}
${next !== undefined && markup`<p class="pages"><a class="button" href="${next}" rel="next">Older tags</a></p>`}`;
}

function line(
  { repository: { name: repository }, host, mayDelete, now }: RepositoryView,
  tag: TagRow,
): Markup {
  const { name, digest, platforms, artifactType, size: bytes, pushedAt, immutable } = tag;
  return markup`<tr data-name="${name}">
<th scope="row"><a class="name" href="${referencePath(repository, name)}">${name}</a>${immutable && markup` <span class="badge" title="This tag is never moved nor removed">immutable</span>`}</th>
<td data-label="Platforms">${platformList(platforms, artifactType)}</td>
<td data-label="Digest"><a href="${referencePath(repository, digest)}">${shortDigest(digest)}</a></td>
<td class="end" data-label="Size">${size(bytes)}</td>
<td class="end" data-label="Pushed">${moment(pushedAt, now)}</td>
<td class="end actions">${copyButton(`docker pull ${host}/${repository}:${name}`, `the command that pulls ${name}`)}${mayDelete && !immutable && deleteLink(repository, name)}</td>
</tr>`;
}

const most = 4;

function platformList(platforms: readonly string[], artifactType: string | undefined): Markup {
  if (platforms.length === 0) return markup`<span class="muted">${artifactType}</span>`;
  const more = platforms.slice(most);
  return markup`<span class="badges">${platforms.slice(0, most).map((name) => markup`<span class="badge">${name}</span>`)}${more.length > 0 && markup`<span class="badge quiet" title="${more.join(', ')}">+${more.length}</span>`}</span>`;
}

export const deleteLink = (repository: string, tag: string, text?: string): Markup =>
  markup`<a class="${text === undefined ? 'remove' : 'button danger'}" href="/-/delete?repository=${encodeURIComponent(repository)}&#38;tag=${encodeURIComponent(tag)}" ${text === undefined ? markup`aria-label="Delete ${tag}"` : ''}>${text ?? markup`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2.5 4.500h11M6 4.500v-2h4v2M4 4.500l.7 9h6.600l.7-9M6.7 7v4M9.3 7v4" /></svg>`}</a>`;
