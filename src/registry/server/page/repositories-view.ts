import { sizeInWords } from '../configuration/units.ts';
import type { RepositorySummary } from '../inventory.ts';
import { markup, type Markup } from './markup.ts';
import { moment, nothing, repositoryPath, share, size } from './layout.ts';

export interface RepositoryRow extends RepositorySummary {
  readonly quota: number | undefined;
}

export interface RepositoriesView {
  readonly rows: readonly RepositoryRow[];
  /** What names are to contain. */
  readonly query: string;
  /** The address of the next page. */
  readonly next: string | undefined;
  /** The address that clients push to. */
  readonly host: string;
  /** Others may see more. */
  readonly isPartial: boolean;
  readonly mayLogIn: boolean;
  readonly now: bigint;
}

/** The list of repositories. */
export function repositoriesView(view: RepositoriesView): Markup {
  const { rows, query, next, now } = view;
  const limited = rows.some(({ quota }) => quota !== undefined);
  return markup`<div class="head"><h1>Repositories</h1>${filter(query, 'Find a repository')}</div>
${
  rows.length === 0
    ? empty(view)
    : markup`<table class="rows repositories" data-filtered>
<thead><tr><th scope="col">Name</th><th scope="col" class="end">Tags</th><th scope="col" class="end">Size</th>${limited && markup`<th scope="col">Quota</th>`}<th scope="col" class="end">Last push</th></tr></thead>
<tbody>${rows.map((row) => line(row, limited, now))}</tbody>
</table>`
}
${next !== undefined && markup`<p class="pages"><a class="button" href="${next}" rel="next">More repositories</a></p>`}`;
}

const line = (
  { name, tags, size: bytes, quota, pushedAt }: RepositoryRow,
  limited: boolean,
  now: bigint,
): Markup =>
  markup`<tr data-name="${name}">
<th scope="row"><a class="name" href="${repositoryPath(name)}">${repositoryName(name)}</a></th>
<td class="end" data-label="Tags"><span class="number">${tags}</span></td>
<td class="end" data-label="Size">${size(bytes)}</td>${
    limited &&
    markup`
<td data-label="Quota" class="limit">${quota !== undefined && quotaBar(bytes, quota)}</td>`
  }
<td class="end" data-label="Last push">${moment(pushedAt, now)}</td>
</tr>`;

/** The last component is what people look for. */
export function repositoryName(name: string): Markup {
  const slash = name.lastIndexOf('/') + 1;
  return markup`${slash > 0 && markup`<span class="path">${name.slice(0, slash)}</span>`}${name.slice(slash)}`;
}

export const quotaBar = (used: number, quota: number): Markup =>
  markup`<span class="quota ${used > quota * 0.9 ? 'short' : ''}" title="${sizeInWords(used)} of ${sizeInWords(quota)}">${share(used, quota)}<small>of ${sizeInWords(quota).replace(/([A-Za-z]+)$/, ' $1')}</small></span>`;

export const filter = (query: string, label: string): Markup =>
  markup`<form class="filter" role="search" method="get"><label class="unseen" for="q">${label}</label><input id="q" name="q" type="search" value="${query}" placeholder="${label}…" autocomplete="off" spellcheck="false"></form>`;

function empty({ query, host, isPartial, mayLogIn }: RepositoriesView): Markup {
  if (query !== '') return nothing(`No name contains “${query}”.`);
  if (mayLogIn)
    return markup`<div class="welcome"><p>There is nothing here that everybody may see.</p><p><a class="button main" href="/-/login">Sign in</a></p></div>`;
  if (isPartial) return nothing('There is nothing here that you may see.');
  return markup`<div class="welcome"><p>This registry is empty. Push the first image:</p>
<pre><code>docker tag my-image ${host}/my-image
docker push ${host}/my-image</code></pre></div>`;
}
