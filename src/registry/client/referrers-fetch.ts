import { RegistryFailure } from './registry-failure.ts';
import type { Session } from './session.ts';
import { headerOf, readText } from './transport.ts';

const maxPages = 100;
const maxPage = 4 << 20;

/** Every page of the referrers' list; undefined: the registry has no such list. */
export async function getReferrers(
  session: Session,
  path: string,
  options: { readonly scopes: readonly string[]; readonly signal: AbortSignal },
): Promise<readonly Readonly<Record<string, unknown>>[] | undefined> {
  const found: Readonly<Record<string, unknown>>[] = [];
  let target: string | URL | undefined = path;
  for (let page = 0; target !== undefined; page += 1) {
    if (page === maxPages) throw new RegistryFailure('internal', `${path} has too many pages`);
    const answer = await session.request({ method: 'GET', target, alsoAccepts: [404], ...options });
    const text = await readText(answer, maxPage);
    if (answer.status === 404) return undefined;
    found.push(...descriptorsIn(text, path));
    const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(headerOf(answer, 'link') ?? '')?.[1];
    target = link === undefined ? undefined : new URL(link, answer.url);
  }
  return found;
}

function descriptorsIn(text: string, path: string): readonly Readonly<Record<string, unknown>>[] {
  let manifests: unknown;
  try {
    manifests = (JSON.parse(text) as { manifests?: unknown } | null)?.manifests ?? [];
  } catch (error) {
    throw new RegistryFailure('internal', `${path} is no JSON`, { cause: error });
  }
  if (!Array.isArray(manifests)) throw new RegistryFailure('internal', `${path} has no list of manifests`);
  return manifests.filter(
    (each): each is Record<string, unknown> => typeof each === 'object' && each !== null,
  );
}
