import { invalidArgument } from '#kernel';
import { findImageId, parseReference } from '#oci';
import type { DistributionInspect, ImageSearchItem } from '#api/types';
import { ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import type { Filters } from '../filters.ts';
import { named, type Route } from '../route.ts';
import { registryAuth } from './system.ts';

type RegistryBackends = Pick<Backends, 'images' | 'auth'>;

const usualLimit = 25;
const maxLimit = 100;

/** What registries are asked without moving an image. */
export function registryRoutes(backends: RegistryBackends): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/images/search',
      operation: 'ImageSearch',
      handle: async (exchange) => ok(await search(backends, exchange)),
    },
    {
      method: 'GET',
      path: named('distribution', '/json'),
      operation: 'DistributionInspect',
      handle: async (exchange) => ok(await inspect(backends, exchange)),
    },
  ];
}

async function inspect({ images }: RegistryBackends, exchange: Exchange): Promise<DistributionInspect> {
  const { name, signal } = exchange;
  if (findImageId(name)) throw invalidArgument('no manifest found for full image ID');
  const found = await images.inspectDistribution(name, { auth: registryAuth(exchange), signal });
  const { mediaType, digest, size } = found.descriptor;
  const { platforms } = found;
  return { Descriptor: { mediaType, digest, size }, Platforms: platforms.length > 0 ? platforms : null };
}

async function search({ auth }: RegistryBackends, exchange: Exchange): Promise<readonly ImageSearchItem[]> {
  const { query, signal } = exchange;
  const limit = limitOf(query.text('limit'));
  const filters = query.filters(['is-automated', 'is-official', 'stars']);
  const isAutomated = filters.boolean('is-automated');
  const isOfficial = filters.boolean('is-official');
  const stars = starsOf(filters);
  const { domain, term } = splitTerm(query.text('term'));
  const results = await auth.search(domain, term, { limit, auth: registryAuth(exchange), signal });
  return results
    .filter((one) => isOfficial === undefined || one.isOfficial === isOfficial)
    .filter((one) => isAutomated !== true && one.stars >= stars)
    .map((one) => ({
      star_count: one.stars,
      is_official: one.isOfficial,
      name: one.name,
      is_automated: false,
      description: one.description,
    }));
}

const notNumber = (text: string): string => `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;

function limitOf(text: string): number {
  if (text === '') return usualLimit;
  if (!/^[+-]?\d+$/.test(text)) throw invalidArgument(`invalid limit specified: ${notNumber(text)}`);
  const limit = Number(text) || usualLimit;
  if (limit < 1 || limit > maxLimit) {
    throw invalidArgument(`limit ${limit} is outside the range of [1, ${maxLimit}]`);
  }
  return limit;
}

/** The most of several, so that all hold. */
function starsOf(filters: Filters): number {
  const counts = filters.all('stars').map((text) => {
    if (!/^[+-]?\d+$/.test(text)) throw invalidArgument(`invalid filter 'stars=${text}': ${notNumber(text)}`);
    return Number(text);
  });
  return Math.max(0, ...counts);
}

/** `registry.example/term`: as references are read, but a term may be any text. */
function splitTerm(text: string): { readonly domain: string; readonly term: string } {
  if (text.includes('://')) {
    throw invalidArgument(`invalid repository name: repository name (${text}) should not have a scheme`);
  }
  const [first = '', ...rest] = text.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (!isHost) return { domain: 'docker.io', term: text.replace(/^library\//, '') };
  return { domain: parseReference(`${first}/x`).domain, term: rest.join('/') };
}
