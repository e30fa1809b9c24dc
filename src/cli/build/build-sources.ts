import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { BuildOptions } from './build-options.ts';
import { digestIn } from './image-layout.ts';
import { readStandardInput } from './standard-input.ts';
import type { SessionService } from './session/session-service.ts';
import { upload } from './session/upload.ts';

/** Where a build's files come from: what the frontend is told of them, and what the session serves. */
export interface BuildSources extends Disposable {
  readonly options: Readonly<Record<string, string>>;
  readonly folders: ReadonlyMap<string, string>;
  readonly services: readonly SessionService[];
  /** Folders with images, by the names under which the engine asks for what is in them. */
  readonly stores: ReadonlyMap<string, string>;
}

/**
 * Finds context, Dockerfile and named contexts. Throws buildx's texts for what is not there. What is made for the build
 * (a file of standard input) goes with the result.
 */
export async function findSources(
  options: BuildOptions,
  input: () => AsyncIterable<Uint8Array>,
): Promise<BuildSources> {
  const made: string[] = [];
  const folders = new Map<string, string>();
  const services: SessionService[] = [];
  const stores = new Map<string, string>();
  const told: Record<string, string> = { filename: 'Dockerfile' };
  const temporary = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'wharf-build-'));
    made.push(folder);
    return folder;
  };
  const place = { folders, services, stores, told, temporary, input };
  try {
    await placeContext(options, place);
    for (const [name, path] of Object.entries(options.contexts)) placeNamed(name, path, place);
  } catch (error) {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    ...{ options: told, folders, services, stores },
    [Symbol.dispose]() {
      for (const folder of made) rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly folders: Map<string, string>;
  readonly services: SessionService[];
  readonly stores: Map<string, string>;
  readonly told: Record<string, string>;
  temporary(): string;
  input(): AsyncIterable<Uint8Array>;
}

async function placeContext(options: BuildOptions, place: Place): Promise<void> {
  const { context, dockerfile = '', dockerfileInline } = options;
  if (context === '') {
    throw new Error('please specify build context (e.g. "." for the current directory)');
  }
  if (context === '-') return placeInput(options, place);
  const isRemote = isRemoteContext(context);
  if (!isFolder(context) && !isRemote) {
    throw new Error(`unable to prepare context: path ${JSON.stringify(context)} not found`);
  }
  if (isRemote) place.told['context'] = context;
  else place.folders.set('context', resolve(context));
  if (dockerfile === '-') {
    const standardInput = await readStandardInput(place.input());
    placeText(await standardInput.bytes(), place);
  } else if (dockerfileInline !== undefined) placeText(Buffer.from(dockerfileInline), place);
  else if (isRemote && !isAbsolute(dockerfile) && !isAddress(dockerfile)) {
    if (dockerfile !== '') place.told['filename'] = dockerfile;
  } else if (isAddress(dockerfile)) placeText(await fetchText(dockerfile), place);
  else placeFile(dockerfile, context, place);
}

/** A Dockerfile of its own, which is in no folder that the build sees otherwise. */
function placeText(text: Uint8Array, place: Place): void {
  const { told, folders } = place;
  const folder = place.temporary();
  writeFileSync(join(folder, 'Dockerfile'), text);
  folders.set('dockerfile', folder);
  if (told['context'] !== undefined) told['dockerfilekey'] = 'dockerfile';
}

const isAddress = (text: string): boolean => /^https?:\/\//.test(text);

async function fetchText(address: string): Promise<Uint8Array> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`failed to fetch ${address}: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

function placeFile(dockerfile: string, context: string, { told, folders }: Place): void {
  if (dockerfile === '') {
    folders.set('dockerfile', resolve(context));
    return;
  }
  const folder = resolve(dirname(dockerfile));
  if (!isFolder(folder)) {
    throw new Error(
      `unable to evaluate symlinks in Dockerfile path: lstat ${folder}: no such file or directory`,
    );
  }
  folders.set('dockerfile', folder);
  told['filename'] = basename(dockerfile);
  if (told['context'] !== undefined) told['dockerfilekey'] = 'dockerfile';
}

/** Standard input is a tar of the context, or a Dockerfile for an empty one. */
async function placeInput(options: BuildOptions, place: Place): Promise<void> {
  const { dockerfile = '' } = options;
  if (dockerfile === '-') {
    throw new Error("invalid argument: can't use stdin for both build context and dockerfile");
  }
  const input = await readStandardInput(place.input());
  if (input.isArchive) {
    const { url, service } = upload(input.chunks());
    place.told['context'] = url;
    place.services.push(service);
    if (dockerfile !== '') place.told['filename'] = dockerfile;
    return;
  }
  if (dockerfile !== '') {
    throw new Error('ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
  }
  placeText(await input.bytes(), place);
  place.folders.set('context', place.temporary());
}

function placeNamed(name: string, path: string, { told, folders, stores }: Place): void {
  if (isRemoteContext(path) || /^(docker-image|target|input):/.test(path)) {
    told[`context:${name}`] = path;
    return;
  }
  if (path.startsWith('oci-layout://')) {
    told[`context:${name}`] = placeLayout(path.slice('oci-layout://'.length), stores);
    return;
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new Error(`failed to get build context ${name}: stat ${path}: no such file or directory`);
  if (!found.isDirectory())
    throw new Error(`failed to get build context path {${path} <nil>}: not a directory`);
  const folder = name === 'context' || name === 'dockerfile' ? `_${name}` : name;
  folders.set(folder, resolve(path));
  told[`context:${name}`] = `local:${folder}`;
}

/** `folder[:tag][@digest]` of an image; answers how the engine is told of it. */
function placeLayout(text: string, stores: Map<string, string>): string {
  const [, folder = '', tag = 'latest', given] = /^(.+?)(?::([^:/@]+))?(?:@(.+))?$/.exec(text) ?? [];
  const digest = given ?? digestIn(folder, tag);
  if (digest === undefined)
    throw new Error(`oci-layout reference ${JSON.stringify(text)} could not be resolved`);
  const store = randomBytes(12).toString('hex');
  stores.set(`oci:${store}`, resolve(folder));
  return `oci-layout://${store}:${tag}@${digest}`;
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** An address of a repository or of a file, which the engine fetches. */
export const isRemoteContext = (text: string): boolean =>
  /^(https?|git|ssh):\/\//.test(text) || /^git@[^/:]+:/.test(text) || /^github\.com\//.test(text);
