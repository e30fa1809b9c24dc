import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildOptions, BuildOutput } from './build-options.ts';
import { annotationAttributes } from './options/annotation.ts';
import type { OutputSink } from './session/file-send.ts';
import type { Setting } from './solve.ts';

/** The exporters of a build, and what takes in the results of those that come over the session. */
export interface BuildOutputs {
  readonly exporters: readonly Setting[];
  /** By the exporter's place. */
  readonly sinks: ReadonlyMap<number, OutputSink>;
}

/** `stdout`: where an output to `-` goes; undefined where that is a terminal. Throws for what has no place to go. */
export function findOutputs(options: BuildOptions): BuildOutputs {
  const asked: readonly BuildOutput[] =
    options.outputs.length > 0 ? options.outputs : [{ type: 'image', attrs: {} }];
  const exporters: Setting[] = [];
  const sinks = new Map<number, OutputSink>();
  for (const output of asked) {
    if (output.type === 'cacheonly') continue;
    const sink = sinkOf(output);
    if (sink) sinks.set(exporters.length, sink);
    exporters.push(exporterOf(output, options));
  }
  return { exporters, sinks };
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
