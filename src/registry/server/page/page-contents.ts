import { messageOf } from '#kernel';
import type { Digest } from '#oci';
import type { TagState } from '../retention/plan.ts';
import { RegistryError } from '../registry-error.ts';
import type { ManifestEntry } from '../registry-store.ts';
import type { ImageReader, ManifestDetails } from './image-reader.ts';
import { imageView } from './image-view.ts';
import { repositoryPath } from './layout.ts';
import { notFound, type Page, type PageParts, type Visit } from './page.ts';
import { repositoriesView } from './repositories-view.ts';
import { repositoryView, type TagRow } from './repository-view.ts';

const repositoriesOnAPage = 60;
const tagsOnAPage = 100;

/** Gathers what pages show. Who may see it has been settled. */
export class PageContents {
  readonly #parts: PageParts;
  readonly #images: ImageReader;

  constructor(parts: PageParts, images: ImageReader) {
    this.#parts = parts;
    this.#images = images;
  }

  /** Those that the caller may pull. */
  repositories({ call, caller, host }: Visit): Page {
    const { inventory, access, quotas, clock } = this.#parts;
    const query = call.query.get('q') ?? '';
    const last = call.query.get('last') ?? '';
    const found = inventory
      .names()
      .filter(
        (name) => name > last && name.includes(query.toLowerCase()) && access.may(caller, 'pull', name),
      );
    // A repository may have become empty.
    const rows = [];
    for (const name of found) {
      const summary = inventory.summary(name);
      if (summary) rows.push({ ...summary, quota: quotas.limit(name) });
      if (rows.length > repositoriesOnAPage) break;
    }
    const shown = rows.slice(0, repositoriesOnAPage);
    const next = rows.length > shown.length ? `/?${searchOf(query, 'last', shown.at(-1)?.name)}` : undefined;
    const isPartial = !access.isOpen;
    const mayLogIn = access.hasUsers && caller.unknown;
    const view = { rows: shown, query, next, host, isPartial, mayLogIn, now: clock.now() };
    return { title: 'Repositories', content: repositoriesView(view) };
  }

  /** Its tags, the newest first. */
  async repository({ call, caller, host }: Visit, name: string): Promise<Page> {
    const { inventory, access, quotas, policies, clock } = this.#parts;
    const repository = inventory.summary(name);
    if (!repository) throw notFound();
    const query = call.query.get('q') ?? '';
    const start = Math.max(0, Number.parseInt(call.query.get('start') ?? '0', 10) || 0);
    const found = inventory.tags(name).filter((tag) => tag.name.toLowerCase().includes(query.toLowerCase()));
    const shown = found.slice(start, start + tagsOnAPage);
    const rows = await Promise.all(shown.map((tag) => this.#tagRow(name, tag)));
    const following = start + tagsOnAPage;
    const next =
      found.length > following
        ? `${repositoryPath(name)}?${searchOf(query, 'start', String(following))}`
        : undefined;
    const mayDelete = !policies.readOnly && access.may(caller, 'delete', name);
    const quota = quotas.limit(name);
    const view = { repository, quota, rows, query, next, host, mayDelete, now: clock.now() };
    return { title: name, content: repositoryView(view) };
  }

  /** A manifest by tag or digest. */
  async image({ caller, host }: Visit, repository: string, reference: string): Promise<Page> {
    const { store, inventory, access, policies, clock } = this.#parts;
    const entry = store.manifest(repository, reference);
    if (!entry) throw notFound();
    const details = await this.#images.read(entry).catch((error: unknown) => {
      throw new RegistryError(404, 'MANIFEST_UNKNOWN', `This cannot be shown: ${messageOf(error)}`);
    });
    const view = {
      repository,
      reference,
      details,
      tags: store.tagsOf(repository, entry.digest),
      referrers: store.referrers(repository, entry.digest),
      sizes: this.#sizesOfChildren(repository, details),
      total: inventory.closureSize(repository, entry.digest),
      host,
      mayDelete: !policies.readOnly && access.may(caller, 'delete', repository),
      immutable: policies.isImmutable(repository, reference),
      now: clock.now(),
    };
    const title = `${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
    return { title, content: imageView(view) };
  }

  async #tagRow(repository: string, { name, digest, pushedAt }: TagState): Promise<TagRow> {
    const { store, inventory, policies } = this.#parts;
    const entry: ManifestEntry | undefined = store.manifest(repository, digest);
    return {
      name,
      digest,
      platforms: entry ? await this.#images.platforms(entry) : [],
      artifactType: entry?.artifactType,
      size: inventory.closureSize(repository, digest),
      pushedAt,
      immutable: policies.isImmutable(repository, name),
    };
  }

  #sizesOfChildren(repository: string, { content }: ManifestDetails): ReadonlyMap<Digest, number> {
    if (content.kind !== 'index') return new Map();
    const { store, inventory } = this.#parts;
    return new Map(
      content.children
        .filter(({ digest }) => store.manifest(repository, digest) !== undefined)
        .map(({ digest }) => [digest, inventory.closureSize(repository, digest)]),
    );
  }
}

const searchOf = (query: string, name: string, value = ''): string =>
  new URLSearchParams({ ...(query !== '' && { q: query }), [name]: value }).toString();
