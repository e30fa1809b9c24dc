import { createHash } from 'node:crypto';
import { messageOf } from '#kernel';
import type { Answer, Call } from '../answer.ts';
import { RegistryError } from '../registry-error.ts';
import type { ManifestEntry } from '../registry-store.ts';
import { originOf } from '../request-origin.ts';
import { deletionView, loginView, problemView } from './form-views.ts';
import { readForm } from './form.ts';
import { ImageReader } from './image-reader.ts';
import { icon, layout, repositoryPath, type Frame } from './layout.ts';
import { PageContents } from './page-contents.ts';
import { notFound, type Page, type PageParts, type Visit } from './page.ts';
import { script } from './script.ts';
import { Sessions } from './sessions.ts';
import { style } from './style.ts';

const version = createHash('sha256').update(style).update(script).digest('hex').slice(0, 12);

const files: Readonly<Record<string, readonly [string, string]>> = {
  '/-/style.css': ['text/css; charset=utf-8', style],
  '/-/script.js': ['text/javascript; charset=utf-8', script],
  '/-/icon.svg': ['image/svg+xml', icon],
};

/** Nothing runs nor looks but what comes from here as a file. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** What browsers are shown: repositories, tags and images; with forms to log in and to delete a tag. */
export class BrowserPages {
  readonly #parts: PageParts;
  readonly #sessions: Sessions;
  readonly #contents: PageContents;

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.#sessions = new Sessions(parts.clock);
    this.#contents = new PageContents(parts, new ImageReader(parts.content));
  }

  /** Everybody has to log in again. */
  forgetSessions(): void {
    this.#sessions.clear();
  }

  /** undefined: there is no such page. */
  async answer(call: Call, path: string): Promise<Answer | undefined> {
    const file = files[path];
    if (file && isReading(call)) {
      const [type, body] = file;
      const lasting = call.query.get('v') === version ? 'max-age=31536000, immutable' : 'no-cache';
      return { status: 200, headers: { ...headers, 'Content-Type': type, 'Cache-Control': lasting }, body };
    }
    if (path !== '/' && !path.startsWith('/r/') && !path.startsWith('/-/')) return undefined;
    const user = this.#sessions.user(call.request);
    const known: Call = { ...call, user };
    const visit = {
      call: known,
      caller: { user, unknown: user === undefined },
      host: call.request.headers.host ?? 'localhost',
    };
    try {
      return isReading(call) ? await this.#get(visit, path) : await this.#post(visit, path);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      return this.#refusal(visit, error);
    }
  }

  async #get(visit: Visit, path: string): Promise<Answer> {
    const { query } = visit.call;
    if (path === '/') return this.#show(visit, this.#contents.repositories(visit));
    if (path === '/-/login') return this.#login(visit, query.get('next') ?? '/');
    if (path === '/-/delete') {
      const [repository, tag] = [query.get('repository') ?? '', query.get('tag') ?? ''];
      const { entry, others } = this.#deletable(visit, repository, tag);
      const content = deletionView(repository, tag, entry.digest, others);
      return this.#show(visit, { title: `Delete ${repository}:${tag}`, content });
    }
    const [, repository = '', reference] = /^\/r\/(.+?)(?:\/-\/([^/]+))?\/?$/.exec(path) ?? [];
    this.#admit(visit, repository);
    const page =
      reference === undefined
        ? await this.#contents.repository(visit, repository)
        : await this.#contents.image(visit, repository, reference);
    return this.#show(visit, page);
  }

  async #post(visit: Visit, path: string): Promise<Answer> {
    const { request } = visit.call;
    if (visit.call.method !== 'POST' || !isOwn(visit)) {
      throw new RegistryError(403, 'DENIED', 'this form was not sent from a page of this registry');
    }
    const isSecure = originOf(request).startsWith('https:');
    const form = await readForm(request);
    const field = (name: string): string => form.get(name) ?? '';
    if (path === '/-/logout') return redirect('/', { 'Set-Cookie': this.#sessions.end(request, isSecure) });
    if (path === '/-/login') {
      if (!(await this.#parts.access.knows(field('user'), field('password')))) {
        return this.#login(visit, field('next'), 'There is no such user with this password.');
      }
      const cookie = this.#sessions.begin(field('user'), isSecure);
      return redirect(localPath(field('next')), { 'Set-Cookie': cookie });
    }
    if (path !== '/-/delete') throw notFound();
    const [repository, tag] = [field('repository'), field('tag')];
    this.#deletable(visit, repository, tag);
    this.#parts.manifests.remove(visit.call, repository, tag);
    return redirect(this.#parts.inventory.summary(repository) ? repositoryPath(repository) : '/');
  }

  #login(visit: Visit, next: string, problem?: string): Answer {
    if (!this.#parts.access.hasUsers) return redirect('/');
    const content = loginView(visit.host, localPath(next), problem);
    return this.#show(visit, { title: 'Sign in', content, status: problem === undefined ? 200 : 401 });
  }

  /** Throws what forbids it. */
  #deletable(
    visit: Visit,
    repository: string,
    tag: string,
  ): { readonly entry: ManifestEntry; readonly others: readonly string[] } {
    const { store, access, policies } = this.#parts;
    this.#admit(visit, repository);
    const entry = tag.includes(':') ? undefined : store.manifest(repository, tag);
    if (!entry) throw notFound();
    if (policies.readOnly) throw new RegistryError(403, 'DENIED', 'this registry is read-only');
    if (!access.may(visit.caller, 'delete', repository)) {
      throw new RegistryError(403, 'DENIED', `the access rules do not let you delete tags of ${repository}`);
    }
    return { entry, others: store.tagsOf(repository, entry.digest).filter((name) => name !== tag) };
  }

  /** Throws 404 for what a caller may not see, whether it is there or not. */
  #admit({ caller }: Visit, repository: string): void {
    if (this.#parts.access.may(caller, 'pull', repository)) return;
    if (caller.unknown && this.#parts.access.hasUsers) {
      throw new RegistryError(401, 'UNAUTHORIZED', 'sign in to see this');
    }
    throw notFound();
  }

  #show(visit: Visit, { title, content, status = 200 }: Page): Answer {
    const { access, clock, policies } = this.#parts;
    const frame: Frame = {
      host: visit.host,
      user: visit.caller.user,
      hasUsers: access.hasUsers,
      readOnly: policies.readOnly,
      version,
      here: localPath(visit.call.request.url ?? '/'),
      now: clock.now(),
    };
    return {
      status,
      headers: { ...headers, 'Content-Type': 'text/html; charset=utf-8' },
      body: layout(frame, title, content),
    };
  }

  #refusal(visit: Visit, error: RegistryError): Answer {
    if (error.status === 401 && isReading(visit.call)) {
      const next = encodeURIComponent(localPath(visit.call.request.url ?? '/'));
      return redirect(`/-/login?next=${next}`);
    }
    const title = error.status === 404 ? 'Not found' : 'Refused';
    const content = problemView(title, messageOf(error));
    return this.#show(visit, { title, content, status: error.status });
  }
}

const isReading = ({ method }: Call): boolean => method === 'GET' || method === 'HEAD';

/** Whether a browser says that a form comes from this registry's own pages. */
function isOwn({ call, host }: Visit): boolean {
  const { origin, 'sec-fetch-site': site } = call.request.headers;
  if (origin !== undefined) return URL.canParse(origin) && new URL(origin).host === host;
  return site === 'same-origin';
}

/** A path of this registry, whatever a link says. */
function localPath(text: string): string {
  const here = new URL('http://registry');
  const url = URL.canParse(text, here) ? new URL(text, here) : here;
  const path = url.host === here.host ? `${url.pathname}${url.search}` : '/';
  return path.startsWith('//') || path.startsWith('/-/') ? '/' : path;
}

const redirect = (path: string, more: Readonly<Record<string, string>> = {}): Answer => ({
  status: 303,
  headers: { ...headers, Location: path, 'Content-Length': 0, ...more },
});
