import { mkdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseReference } from '#oci';
import type { BuildOptions, BuildOutput } from './build-options.ts';
import { nameIn, type LayoutEntry } from './image-layout.ts';
import { annotationAttributes } from './options/annotation.ts';
import type { OutputSink } from './session/file-send.ts';
import type { Setting } from './solve.ts';

/** The exporters of a build, and what takes in the results of those that come over the session. */
export interface BuildOutputs {
  readonly exporters: readonly Setting[];
  /** By the exporter's place. */
  readonly sinks: ReadonlyMap<number, OutputSink>;
  /** Folders that take an image apart, by the names under which the engine writes to them. */
  readonly stores: ReadonlyMap<string, string>;
  /** Names in such a folder what the engine has written. */
  finish(response: Readonly<Record<string, string>>): void;
}

/** By which the engine knows the one folder that takes an image apart (BuildKit's exporter/oci). */
const storeName = 'export';

/** `stdout`: where an output to `-` goes; undefined where that is a terminal. Throws for what has no place to go. */
export function findOutputs(options: BuildOptions): BuildOutputs {
  const asked: readonly BuildOutput[] =
    options.outputs.length > 0 ? options.outputs : [{ type: 'image', attrs: {} }];
  const exporters: Setting[] = [];
  const sinks = new Map<number, OutputSink>();
  const stores = new Map<string, string>();
  for (const output of asked) {
    if (output.type === 'cacheonly') continue;
    if (isTakenApart(output)) placeStore(output, stores);
    const sink = isTakenApart(output) ? undefined : sinkOf(output);
    if (sink) sinks.set(exporters.length, sink);
    exporters.push(exporterOf(output, options));
  }
  return {
    ...{ exporters, sinks, stores },
    finish: (response) => {
      const descriptor = response['containerimage.descriptor'];
      if (descriptor === undefined) return;
      const entry = JSON.parse(Buffer.from(descriptor, 'base64').toString()) as LayoutEntry; // the engine's own
      const names = (response['image.name'] ?? '').split(',').filter((name) => name !== '');
      for (const folder of stores.values()) {
        if (names.length === 0) nameIn(folder, { tag: 'latest' }, entry);
        for (const name of names) nameIn(folder, { name, tag: parseReference(name).tag ?? 'latest' }, entry);
      }
    },
  };
}

const isTakenApart = ({ type, attrs }: BuildOutput): boolean =>
  ['oci', 'docker'].includes(type) && attrs['tar'] === 'false';

function placeStore({ type, dest }: BuildOutput, stores: Map<string, string>): void {
  if (dest === undefined || dest === '-')
    throw new Error(`dest is required for ${type} exporter with tar=false`);
  if (stores.has(storeName)) throw new Error('only one output can take an image apart with tar=false');
  const folder = resolve(dest);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new Error(`destination ${dest} must be a directory for ${type} exporter with tar=false`);
  }
  mkdirSync(folder, { recursive: true });
  stores.set(storeName, folder);
}

function exporterOf(output: BuildOutput, options: BuildOptions): Setting {
  const isImage = ['image', 'registry', 'docker', 'oci'].includes(output.type);
  const named = options.tags.length > 0 && isImage && output.attrs['name'] === undefined;
  const attrs = {
    ...output.attrs,
    ...(named && { name: options.tags.join(',') }),
    ...(isImage && annotationAttributes(options.annotations)),
    ...(output.type === 'registry' && { push: 'true' }),
  };
  if (attrs['push'] === 'true' && (attrs['name'] ?? '') === '') {
    throw new Error('tag is needed when pushing to registry');
  }
  return { type: exporterType(output), attrs };
}

/** The engine's own store is `moby`, whatever clients call it. */
const exporterType = ({ type, dest }: BuildOutput): string =>
  type === 'image' || type === 'registry' || (type === 'docker' && dest === undefined) ? 'moby' : type;

function sinkOf({ type, dest }: BuildOutput): OutputSink | undefined {
  if (type === 'local') {
    if (dest === undefined) throw new Error('dest is required for local exporter');
    if (dest === '-') throw new Error('dest cannot be stdout for local exporter');
    return { kind: 'folder', path: resolve(dest) };
  }
  if (!['tar', 'oci', 'docker'].includes(type)) {
    if (dest !== undefined) throw new Error(`output type ${type} does not take a destination`);
    return undefined;
  }
  if (dest === undefined && type === 'docker') return undefined;
  if (dest === undefined || dest === '-') return { kind: 'stdout', type };
  if (statSync(dest, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`destination directory ${dest} must not be a directory for ${type} exporter`);
  }
  return { kind: 'file', path: resolve(dest) };
}
