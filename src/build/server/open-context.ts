import { fromBinary } from '@bufbuild/protobuf';
import { upload } from '#buildkit';
import { invalidArgument, unimplemented } from '#kernel';
import { parseDigest } from '#oci';
import type { Material } from '../attest/material.ts';
import { withoutCredentials } from '../attest/provenance/without-credentials.ts';
import type { BuildInput } from '../build-request.ts';
import type { ContextStore } from '../contexts/context-store.ts';
import { sourceBelow, sourceOfContext, type SourceTree } from '../files/source-tree.ts';
import { gitContextOf, isRemoteAddress, type RemoteContext } from '../sources/remote-context.ts';
import type { SourceAccess } from '../sources/source-access.ts';
import type { Sources } from '../sources/sources.ts';
import type { ClientSession } from './client-session.ts';
import type { FrontendOptions } from './frontend-options.ts';
import type { BuildProgress } from './progress.ts';

/** Sets of files that do not come from the client, by the names by which they are asked for. */
export interface ForeignFiles {
  readonly sets: ReadonlyMap<string, SourceTree>;
  /** Name of the Dockerfile, where there is but one file. */
  readonly onlyFile: string | undefined;
  /** Where they come from, if that is an address. */
  readonly origin: Material | undefined;
}

export interface ContextParts {
  readonly sources: Sources;
  readonly contexts: ContextStore;
  readonly access: SourceAccess;
  readonly session: ClientSession | undefined;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
  /** What the client gives by name in place of files of its own. */
  readonly input: (name: string) => Promise<BuildInput> | undefined;
}

/** Host of addresses that mean a stream of bytes which the client holds. */
const sessionHost = 'buildkit-session';
const pullPath = '/moby.upload.v1.Upload/Pull';

/** Fetches the context that the options name by its address; nothing for the client's own. Throws invalidArgument. */
export async function openContext(parts: ContextParts, options: FrontendOptions): Promise<ForeignFiles> {
  const address = options[options['contextkey'] ?? 'context'];
  if (address === undefined || !isRemoteAddress(address)) return givenFiles(parts);
  const { tree, onlyFile, identity } = await fetchContext(parts, address, options);
  const whole = sourceOfContext(tree, parts.contexts.files);
  const source = sourceBelow(whole, options['contextsubdir'] ?? '');
  // A client may have the Dockerfile for a context from elsewhere.
  const isWhole = options['dockerfilekey'] === undefined;
  const names = isWhole ? ['context', 'dockerfile'] : ['context'];
  return {
    sets: new Map(names.map((name) => [name, source])),
    onlyFile: isWhole ? onlyFile : undefined,
    origin: originOf(address, identity),
  };
}

function originOf(address: string, identity: string): Material | undefined {
  const uri = withoutCredentials(address);
  if (gitContextOf(address)) return { kind: 'git', uri, commit: identity };
  if (new URL(address).hostname === sessionHost) return undefined;
  return { kind: 'http', uri, digest: parseDigest(identity) };
}

/** The sets that a client gives as results of its own graphs. */
async function givenFiles({ input }: ContextParts): Promise<ForeignFiles> {
  const sets = new Map<string, SourceTree>();
  for (const name of ['context', 'dockerfile']) {
    const given = await input(name);
    if (given?.kind === 'layers') throw unimplemented('a context of layers is not supported: give it a name');
    if (given) sets.set(name, given.source);
  }
  return { sets, onlyFile: undefined, origin: undefined };
}

async function fetchContext(
  { sources, session, access, progress, signal }: ContextParts,
  address: string,
  options: FrontendOptions,
): Promise<RemoteContext> {
  const isGit = gitContextOf(address) !== undefined;
  const title = isGit ? `load git source ${address}` : 'load remote build context';
  return progress.during(`[internal] ${title}`, async (step) => {
    const url = isGit ? undefined : new URL(address);
    if (url?.hostname === sessionHost) return sources.receive(pulled(session, url.pathname), { signal });
    return sources.open(address, {
      ...{ signal, access, keepGitDir: options['build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR'] === '1' },
      onOutput: (data) => step.output(data),
      onProgress: (received, total) => step.transferred('downloading:', received, total || undefined),
    });
  });
}

/** What the client holds under a path. */
async function* pulled(session: ClientSession | undefined, path: string): AsyncGenerator<Uint8Array, void> {
  if (!session) throw invalidArgument('no session of the client holds the context');
  const stream = session.openStream(pullPath, { urlpath: path, urlhost: sessionHost });
  stream.end();
  for await (const message of stream.messages()) yield fromBinary(upload.BytesMessageSchema, message).data;
}
