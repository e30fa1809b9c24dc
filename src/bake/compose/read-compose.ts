import { posix } from 'node:path';
import { messageOf } from '#kernel';
import type { Entry } from '../entries/entry.ts';
import {
  attestText,
  distinctAttests,
  distinctEntries,
  parseAttest,
  parseCacheEntries,
  parseOutput,
} from '../entries/entry.ts';
import type { Secret, SshAccess } from '../entries/secret.ts';
import { distinctSecrets, distinctSsh, makeSecret, parseSecret, parseSsh } from '../entries/secret.ts';
import { checkTargetName } from '../hcl/block-evaluation.ts';
import type { BakeFile, ComposeReader } from '../read-files.ts';
import { targetName } from '../resolve-targets.ts';
import type { Definitions, Target, TargetAttributes } from '../target.ts';
import type { ComposeMap, ComposeNode } from './compose-tree.ts';
import { buildMap, isMap, mergeTrees, pairs, parseComposeTree, scalarText, texts } from './compose-tree.ts';
import { parseEnvFile } from './env-file.ts';
import { checkBuild } from './check-build.ts';
import { bytesText } from './sizes.ts';

/** What compose files see of the machine. */
export interface ComposeWorld {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file; undefined where there is none. */
  readText(path: string): string | undefined;
}

/** Reads services that are built as targets. */
export function composeReader(world: ComposeWorld): ComposeReader {
  const fromFile = parseEnvFile(world.readText('.env') ?? '', (name) => world.environment[name]);
  const environment = { ...fromFile, ...world.environment };
  const parse = ({ text }: BakeFile): ComposeMap => {
    const tree = parseComposeTree(text, (name) => environment[name]);
    checkServices(tree);
    return tree;
  };
  return {
    isCompose(file) {
      const name = file.name.toLowerCase();
      if (name.endsWith('.yml') || name.endsWith('.yaml')) {
        try {
          parse(file);
        } catch (error) {
          const message = messageOf(error);
          throw message.startsWith('yaml: ')
            ? new Error(`failed to parse ${file.name}: ${message}`, { cause: error })
            : error;
        }
        return true;
      }
      if (name.endsWith('.json') || name.endsWith('.hcl')) return false;
      try {
        return parse(file)['services'] !== undefined;
      } catch {
        return false;
      }
    },
    read(files) {
      const tree = files.map(parse).reduce((below, above) => mergeTrees(below, above));
      try {
        return new Services(tree, world, environment).definitions();
      } catch (error) {
        throw new Error(`failed to parse compose file: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}

function checkServices(tree: ComposeMap): void {
  const { services } = tree;
  if (tree['include'] !== undefined)
    throw new Error('include of compose files is not supported by bake here');
  if (services === undefined || services === null) return;
  if (!isMap(services)) throw new Error('validating compose file: services must be a mapping');
  for (const [name, service] of Object.entries(services)) {
    if (!isMap(service)) {
      if (service === null) continue;
      throw new Error(`services.${name} must be a mapping`);
    }
    if (service['build'] !== undefined && service['build'] !== null) checkBuild(name, service['build']);
  }
}

class Services {
  readonly #tree: ComposeMap;
  readonly #world: ComposeWorld;
  readonly #environment: Readonly<Record<string, string | undefined>>;

  constructor(
    tree: ComposeMap,
    world: ComposeWorld,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.#tree = tree;
    this.#world = world;
    this.#environment = environment;
  }

  definitions(): Definitions {
    const { services } = this.#tree;
    if (!isMap(services) || Object.keys(services).length === 0) return { groups: [], targets: [] };
    const targets = Object.keys(services)
      .sort()
      .flatMap((name) => this.#target(name, this.#service(name, [])) ?? []);
    return { groups: [{ name: 'default', targets: targets.map(({ name }) => name) }], targets };
  }

  /** With what it extends. */
  #service(name: string, visited: readonly string[]): ComposeMap {
    const { services } = this.#tree;
    const service = isMap(services) ? services[name] : undefined;
    if (!isMap(service)) return {};
    const { extends: extended, ...own } = service;
    if (extended === undefined) return own;
    const parent = isMap(extended) ? scalarText(extended['service']) : scalarText(extended);
    if (isMap(extended) && extended['file'] !== undefined) {
      throw new Error(`services.${name}.extends: other files are not supported by bake here`);
    }
    if (parent === undefined || visited.includes(parent))
      throw new Error(`Circular reference in extends of ${name}`);
    if (!isMap(services) || services[parent] === undefined) {
      throw new Error(
        `cannot extend service ${JSON.stringify(name)}: service ${JSON.stringify(parent)} not found`,
      );
    }
    return mergeTrees(this.#service(parent, [...visited, name]), own);
  }

  #target(service: string, definition: ComposeMap): Target | undefined {
    const given = definition['build'];
    if (given === undefined || given === null) return undefined;
    const name = targetName(service);
    try {
      checkTargetName(name);
    } catch (error) {
      throw new Error(`invalid service name ${JSON.stringify(name)}: ${messageOf(error)}`, { cause: error });
    }
    const build = buildMap(given);
    const image = scalarText(definition['image']);
    const tags = texts(build['tags']);
    const text = (key: string): string | undefined => scalarText(build[key]) || undefined;
    const shmSize = bytesText(scalarText(build['shm_size']));
    const base: Partial<Record<keyof TargetAttributes, unknown>> = {
      context: text('context'),
      contexts: namedContexts(build['additional_contexts']),
      dockerfile: text('dockerfile'),
      'dockerfile-inline': text('dockerfile_inline'),
      args: this.#arguments(build['args'], definition),
      labels: present(pairs(build['labels'])),
      tags: tags.length > 0 ? tags : image ? [image] : undefined,
      'cache-from': entries(build['cache_from']),
      'cache-to': entries(build['cache_to']),
      target: text('target'),
      network: text('network'),
      platforms: listOrNone(build['platforms']),
      ssh: sshKeys(build['ssh']),
      secret: this.#secrets(service, build['secrets']),
      'shm-size': shmSize,
      ulimits: ulimits(build['ulimits']),
      'extra-hosts': extraHosts(build['extra_hosts']),
      attest: attests(build),
      'no-cache': build['no_cache'] === true ? true : undefined,
      pull: build['pull'] === true ? true : undefined,
    };
    const defined = Object.fromEntries(Object.entries(base).filter(([, value]) => value !== undefined));
    // Each attribute is made above as its type says.
    return extend({ ...defined, name }, build['x-bake']);
  }

  /** Arguments without a value take that of the service's environment, or of the machine's. */
  #arguments(node: ComposeNode | undefined, service: ComposeMap): Record<string, string> | undefined {
    const files = texts(service['env_file']).map((path) => this.#world.readText(path) ?? '');
    const lookup = (name: string): string | undefined => this.#environment[name];
    const environment: ComposeMap = {
      ...Object.fromEntries(files.flatMap((content) => Object.entries(parseEnvFile(content, lookup)))),
      ...pairs(service['environment']),
    };
    const found: Record<string, string> = {};
    for (const [name, value] of Object.entries(pairs(node))) {
      const text = value === null ? (scalarText(environment[name]) ?? lookup(name)) : scalarText(value);
      if (text !== undefined) found[name] = text;
    }
    return Object.keys(found).length > 0 ? found : undefined;
  }

  #secrets(service: string, node: ComposeNode | undefined): readonly Secret[] | undefined {
    if (!Array.isArray(node)) return undefined;
    const known = this.#tree['secrets'];
    return node.map((item: ComposeNode) => {
      const id = isMap(item) ? (scalarText(item['source']) ?? '') : (scalarText(item) ?? '');
      const definition = isMap(known) ? known[id] : undefined;
      if (!isMap(definition))
        throw new Error(
          `service ${JSON.stringify(service)} refers to undefined build secret ${id}: invalid compose project`,
        );
      if (definition['external'] === true) throw new Error(`unsupported external secret ${id}`);
      return makeSecret({
        id,
        src: scalarText(definition['file']),
        env: scalarText(definition['environment']),
      });
    });
  }
}

function present(map: ComposeMap): Record<string, string> | undefined {
  const found = Object.entries(map).map(([key, value]) => [key, scalarText(value) ?? ''] as const);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const listOrNone = (node: ComposeNode | undefined): string[] | undefined => {
  const found = texts(node);
  return found.length > 0 ? found : undefined;
};

function namedContexts(node: ComposeNode | undefined): Record<string, string> | undefined {
  const found = present(pairs(node));
  return (
    found &&
    Object.fromEntries(
      Object.entries(found).map(([name, value]) => {
        const linked = /^(?:service|target):(.*)$/s.exec(value)?.[1];
        return [name, linked === undefined ? localPath(value) : `target:${targetName(linked)}`];
      }),
    )
  );
}

/** Without `./`; addresses stay as they are. */
const localPath = (path: string): string =>
  /^[\w+.-]+:/.test(path) ? path : posix.normalize(path).replace(/(?<=.)\/$/, '');

function entries(node: ComposeNode | undefined): readonly Entry[] | undefined {
  return listOrNone(node)?.flatMap(parseCacheEntries);
}

function sshKeys(node: ComposeNode | undefined): readonly SshAccess[] | undefined {
  const found = Object.entries(pairs(node)).map(([id, path]) => {
    const text = scalarText(path);
    return text ? { id, paths: [text] } : { id };
  });
  return found.length > 0 ? sortSsh(found) : undefined;
}

const sortSsh = (keys: readonly SshAccess[]): SshAccess[] =>
  [...keys].sort((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1));

function ulimits(node: ComposeNode | undefined): readonly string[] | undefined {
  if (!isMap(node)) return undefined;
  return Object.entries(node).map(([name, value]) => {
    const soft = isMap(value) ? scalarText(value['soft']) : scalarText(value);
    const hard = isMap(value) ? scalarText(value['hard']) : soft;
    return `${name}=${soft ?? ''}:${hard ?? ''}`;
  });
}

function extraHosts(node: ComposeNode | undefined): Record<string, string> | undefined {
  const map = pairs(node, 'extra_hosts');
  const found = Object.entries(map).map(([name, value]) => [name, texts(value).join(',')] as const);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

function attests(build: ComposeMap): readonly Entry[] | undefined {
  const found = (['sbom', 'provenance'] as const).flatMap((type) => {
    const text = scalarText(build[type]);
    return text ? [parseAttest(attestText(type, text))] : [];
  });
  return found.length > 0 ? distinctAttests(found) : undefined;
}

/** What the extension `x-bake` of a build adds. A text there is a list of words. */
function extend(target: Target, extension: ComposeNode | undefined): Target {
  if (!isMap(extension)) return target;
  const words = (key: string): string[] => {
    const node = extension[key];
    return typeof node === 'string' ? node.split(/\s+/).filter((word) => word !== '') : texts(node);
  };
  const more = <T>(
    key: string,
    before: readonly T[] | undefined,
    parse: (text: string) => readonly T[],
  ): T[] | undefined => {
    const found = words(key).flatMap(parse);
    return found.length > 0 ? [...(before ?? []), ...found] : undefined;
  };
  const bool = (key: string): boolean | undefined => {
    const node = extension[key];
    return typeof node === 'boolean' ? node : undefined;
  };
  const plain = (text: string): string[] => [text];
  const tags = more('tags', target.tags, plain);
  const platforms = more('platforms', target.platforms, plain);
  const filter = more('no-cache-filter', target['no-cache-filter'], plain);
  const cacheFrom = more('cache-from', target['cache-from'], parseCacheEntries);
  const cacheTo = more('cache-to', target['cache-to'], parseCacheEntries);
  const secrets = more('secret', target.secret, (text) => [parseSecret(text)]);
  const ssh = more('ssh', target.ssh, (text) => [parseSsh(text)]);
  const output = more('output', target.output, (text) => [parseOutput(text)]);
  const [pull, noCache] = [bool('pull'), bool('no-cache')];
  const contexts = namedContexts(extension['contexts']);
  return {
    ...target,
    ...(tags && { tags: [...new Set(tags)] }),
    ...(platforms && { platforms: [...new Set(platforms)] }),
    ...(filter && { 'no-cache-filter': [...new Set(filter)] }),
    ...(cacheFrom && { 'cache-from': distinctEntries(cacheFrom) }),
    ...(cacheTo && { 'cache-to': distinctEntries(cacheTo) }),
    ...(secrets && { secret: distinctSecrets(secrets) }),
    ...(ssh && { ssh: sortSsh(distinctSsh(ssh)) }),
    ...(output && { output: distinctEntries(output) }),
    ...(pull !== undefined && { pull }),
    ...(noCache !== undefined && { 'no-cache': noCache }),
    ...(contexts && { contexts: { ...contexts, ...target.contexts } }),
  };
}
