import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { createHash } from 'node:crypto';
import {
  OpSchema,
  type Definition,
  type DefinitionSchema,
  type FileOp,
  type Op,
  type SourceOp,
} from '#buildkit';
import { invalidArgument, unimplemented } from '#kernel';
import type { BuildInput } from '../build-request.ts';
import type { ContextStore } from '../contexts/context-store.ts';
import { rangeIn, streamRange } from '../files/file-range.ts';
import { isArchive } from '../files/is-archive.ts';
import { resolveLinks, sourceBelow, sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import { httpFileName } from '../graph/http-file-name.ts';
import type { GitVertex, HttpVertex } from '../graph/vertex.ts';
import type { SourceAccess } from '../sources/source-access.ts';
import type { Sources } from '../sources/sources.ts';

/** Scheme of a source that stands for what another build of this engine comes to. */
const resultScheme = 'wharf-result://';

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A graph of one operation, which only this engine can do: what the build that goes by `id` comes to. */
export function resultDefinition(id: string, name: string): MessageInitShape<typeof DefinitionSchema> {
  const source = toBinary(
    OpSchema,
    create(OpSchema, { op: { case: 'source', value: { identifier: `${resultScheme}${id}` } } }),
  );
  const digest = digestOf(source);
  const end = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest, index: 0n }] }));
  return { def: [source, end], metadata: { [digest]: { description: { 'llb.customname': name } } } };
}

/** What a client's own graph is made of. */
export interface DefinitionParts {
  readonly sources: Sources;
  readonly contexts: ContextStore;
  readonly access: SourceAccess;
  readonly signal: AbortSignal;
  /** What a build comes to, by the id in its definition. */
  result(id: string): Promise<BuildInput>;
  /** Files of the client. */
  local(name: string, attributes: Readonly<Record<string, string>>): Promise<SourceTree>;
}

/**
 * What a client's graph comes to. Clients send graphs of sources, and of archives that are to be unpacked; anything
 * else is refused by name: unimplemented.
 */
export async function resolveDefinition(definition: Definition, parts: DefinitionParts): Promise<BuildInput> {
  const ops = new Map(definition.def.map((bytes) => [digestOf(bytes), fromBinary(OpSchema, bytes)]));
  const last = [...ops.values()].at(-1)?.inputs[0]?.digest;
  if (last === undefined) return { kind: 'layers', layers: [] };
  return new DefinitionReader(ops, parts).resolve(last);
}

class DefinitionReader {
  readonly #ops: ReadonlyMap<string, Op>;
  readonly #parts: DefinitionParts;

  constructor(ops: ReadonlyMap<string, Op>, parts: DefinitionParts) {
    this.#ops = ops;
    this.#parts = parts;
  }

  async resolve(digest: string): Promise<BuildInput> {
    const op = this.#ops.get(digest);
    if (!op) throw invalidArgument(`invalid missing input digest ${digest}`);
    if (op.op.case === 'source') return this.#source(op.op.value);
    if (op.op.case === 'file') return this.#unpack(op, op.op.value);
    throw unimplemented('graphs of clients with other operations than sources are not supported');
  }

  async #source({ identifier, attrs }: SourceOp): Promise<BuildInput> {
    const { sources, access, signal } = this.#parts;
    if (identifier.startsWith(resultScheme)) return this.#parts.result(identifier.slice(resultScheme.length));
    const [, scheme = '', rest = ''] = /^([\w-]+):\/\/(.*)$/.exec(identifier) ?? [];
    switch (scheme) {
      case 'http':
      case 'https':
        return files(await sources.fetch(httpVertexOf(identifier, attrs), { access, signal }));
      case 'git':
        return files(await sources.fetch(gitVertexOf(rest, attrs), { access, signal }));
      case 'local':
        return files(await this.#parts.local(rest, attrs));
      default:
        throw unimplemented(`sources of the kind ${scheme} in graphs of clients are not supported`);
    }
  }

  /** A copy out of one source into an empty file system: an archive taken apart, or a folder. */
  async #unpack(op: Op, { actions }: FileOp): Promise<BuildInput> {
    const [action, ...others] = actions;
    const input = action && op.inputs[Number(action.secondaryInput)];
    if (!input || others.length > 0 || action.input !== -1n || action.action.case !== 'copy') {
      throw unimplemented('changes of files in graphs of clients are not supported');
    }
    const from = await this.resolve(input.digest);
    if (from.kind !== 'files') throw unimplemented('copies of layers in graphs of clients are not supported');
    const { src, dest, attemptUnpack } = action.action.value;
    if (dest !== '/') throw unimplemented('copies into folders in graphs of clients are not supported');
    const { contexts, signal } = this.#parts;
    const path = resolveLinks(from.source, src);
    const found = path === undefined ? undefined : from.source.get(path);
    if (!found || path === undefined) throw invalidArgument(`${src}: no such file or directory`);
    if (found.header.type === 'folder') return files(sourceBelow(from.source, path));
    const contents = rangeIn(found.from);
    if (!attemptUnpack || !contents || !(await isArchive(contents, signal))) {
      return files(new Map([...from.source].filter(([each]) => each === '' || each === path)));
    }
    const tree = await contexts.receiveTar(streamRange(contents), { signal });
    return files(sourceOfContext(tree, contexts.files));
  }
}

const files = (source: SourceTree): BuildInput => ({ kind: 'files', source });

type Attributes = Readonly<Record<string, string>>;

const httpVertexOf = (url: string, attributes: Attributes): HttpVertex => ({
  ...{ kind: 'http', url, checksum: attributes['http.checksum'] ?? '' },
  fileName: attributes['http.filename'] ?? httpFileName(url),
});

/** `host/path#ref:folder`; the address as it was written stands among the attributes. */
function gitVertexOf(text: string, attributes: Attributes): GitVertex {
  const [, place = '', ref = '', subdir = ''] = /^([^#]*)(?:#([^:]*)(?::(.*))?)?$/.exec(text) ?? [];
  return {
    kind: 'git',
    remote: attributes['git.fullurl'] ?? `https://${place}`,
    ...{ ref, subdir, checksum: attributes['git.checksum'] ?? '' },
    keepGitDir: attributes['git.keepgitdir'] === 'true',
    submodules: attributes['git.skipsubmodules'] !== 'true',
  };
}
