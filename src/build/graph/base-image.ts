import { canonicalString, formatPlatform, normalizePlatform, parseReference, withDefaultTag } from '#oci';
import type { ImageConfig, Platform } from '#oci';
import { messageOf } from '#kernel';
import type { Checks } from '../checks/checks.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import type { BuildPlatforms } from './global-arguments.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { httpFileName } from './http-file-name.ts';
import { draftOf, emptyImage, inputDraft } from './image-draft.ts';
import { findNamedContext } from './named-context.ts';
import type { NamedContext } from './named-context.ts';
import type { ImageRequest, PlanOptions, ResolvedImage } from './plan-options.ts';
import type { StageNode } from './stage-node.ts';
import { StageState } from './stage-state.ts';
import type { FileSystem } from './vertex.ts';

export interface BaseInputs {
  readonly graph: GraphBuilder;
  readonly checks: Checks;
  readonly options: PlanOptions;
  readonly platforms: BuildPlatforms;
  readonly images: ReadonlyMap<string, ResolvedImage>;
}

const keyOf = (reference: string, platform: Platform): string => `${reference} ${formatPlatform(platform)}`;

function parseBase(written: string): string {
  try {
    return canonicalString(withDefaultTag(parseReference(written)));
  } catch (error) {
    throw new DockerfileError(`failed to parse stage name ${JSON.stringify(written)}: ${messageOf(error)}`);
  }
}

/** The platform of an image that nobody asked to be for another one. */
function actualPlatform({ platforms }: BaseInputs, config: ImageConfig): Platform {
  const isIt = ({ os, architecture }: Platform): boolean =>
    os === config.os && architecture === config.architecture;
  if (isIt(platforms.target)) return platforms.target;
  return platforms.all.find(isIt) ?? platforms.target;
}

const hasLayers = ({ rootfs, history = [] }: ImageConfig): boolean =>
  rootfs.diff_ids.length > 0 || history.some(({ empty_layer }) => empty_layer !== true);

function checkActual(inputs: BaseInputs, node: StageNode, platform: Platform, config: ImageConfig): void {
  if (platform.os === config.os && platform.architecture === config.architecture) return;
  const expected = formatPlatform(normalizePlatform(platform));
  const actual = formatPlatform(
    normalizePlatform({
      os: config.os,
      architecture: config.architecture,
      ...(config.variant !== undefined && { variant: config.variant }),
    }),
  );
  const name = node.from?.image ?? node.image;
  const message = `Base image ${name} was pulled with platform "${actual}", expected "${expected}" for current build`;
  inputs.checks.report('InvalidBaseImagePlatform', node.location, message);
}

/** `[stage 1/3] FROM …`: the base is a stage's first step. */
function fromName(node: StageNode, inputs: BaseInputs, platform: Platform, reference: string): string {
  if (node.stepTotal === 0) return `FROM ${reference}`;
  const shownPlatform = inputs.options.multiPlatform === true ? `${formatPlatform(platform)} ` : '';
  const title = node.title === '' ? '' : `${node.title} `;
  const number = '1'.padStart(String(node.stepTotal).length);
  return `[${shownPlatform}${title}${number}/${node.stepTotal}] FROM ${reference}`;
}

interface ImageSource {
  readonly reference: string;
  readonly layout?: { readonly store: string; readonly digest: string };
  readonly written: string;
  /** `[context name]` of a named context in place of a step's number. */
  readonly title?: string;
}

function startFromImage(
  node: StageNode,
  inputs: BaseInputs,
  wanted: Platform,
  source: ImageSource,
): ImageRequest | undefined {
  const { reference, layout, written } = source;
  const key = keyOf(reference, wanted);
  const image = inputs.images.get(key);
  const place = layout && { layout };
  if (!image) return { key, reference, platform: wanted, ...place, written, location: node.location };
  const { config, digest } = image;
  const implicit = node.platform === undefined && inputs.platforms.isImplicit;
  const platform = implicit ? actualPlatform(inputs, config) : wanted;
  const pinned = digest === '' || reference.includes('@') ? reference : `${reference}@${digest}`;
  let root: FileSystem = 'scratch';
  if (hasLayers(config)) {
    const name = source.title ?? fromName(node, inputs, platform, pinned);
    const step = { name, stage: node.title, instruction: node.from?.text ?? '', location: node.location };
    root = inputs.graph.add({ kind: 'image', reference: pinned, platform, ...place }, step);
    if (source.title === undefined) checkActual(inputs, node, platform, config);
  }
  node.platform = platform;
  node.start = { state: new StageState(root, draftOf(config), platform), config };
  return undefined;
}

/** File systems that are no images, under a stage's or an image's name. */
function contextRoot(
  context: Exclude<NamedContext, { kind: 'image' | 'layout' }>,
  node: StageNode,
  graph: GraphBuilder,
): FileSystem {
  const label = `[context ${node.name || node.image}]`;
  switch (context.kind) {
    case 'scratch':
      return 'scratch';
    case 'local':
      return graph.add({ kind: 'local', name: context.name }, { name: `${label} load from client` });
    case 'input':
      return graph.add({ kind: 'input', name: context.name }, { name: `${label} result of another target` });
    case 'http': {
      const fileName = httpFileName(context.url);
      const vertex = { kind: 'http' as const, url: context.url, fileName, checksum: '' };
      return graph.add(vertex, { name: `${label} ${context.url}` });
    }
    case 'git': {
      const { remote, ref, subdir, checksum, keepGitDir, submodules } = context.source;
      return graph.add(
        {
          ...{ kind: 'git', remote, ref, subdir, checksum },
          keepGitDir: keepGitDir === true,
          submodules: submodules !== false,
        },
        { name: `${label} ${remote}` },
      );
    }
  }
}

function startFromContext(
  node: StageNode,
  inputs: BaseInputs,
  platform: Platform,
  context: NamedContext,
): ImageRequest | undefined {
  const written = node.name || node.image;
  if (context.kind === 'image') {
    const title = `[context ${written}] ${context.reference}`;
    return startFromImage(node, inputs, platform, { reference: context.reference, written, title });
  }
  if (context.kind === 'layout') {
    const { store, digest } = context;
    const reference = `${written}@${digest}`;
    const title = `[context ${written}] ${reference}`;
    return startFromImage(node, inputs, platform, { reference, layout: { store, digest }, written, title });
  }
  if (context.kind === 'local') node.localName = context.name;
  const root = contextRoot(context, node, inputs.graph);
  const config = context.kind === 'input' ? inputs.options.inputImages?.[context.name] : undefined;
  node.platform = platform;
  const image = config ? inputDraft(config) : emptyImage(platform);
  node.start = { state: new StageState(root, image, platform), config };
  return undefined;
}

/** Sets what a stage begins with, unless that is another stage; answers with the image that must be known first. */
export function startStage(node: StageNode, inputs: BaseInputs): ImageRequest | undefined {
  if (node.base || node.start) return undefined;
  const { target } = inputs.platforms;
  if (node.image === 'scratch' && !node.context) {
    node.platform = target;
    node.start = { state: new StageState('scratch', emptyImage(target), target), config: undefined };
    return undefined;
  }
  const platform = node.platform ?? target;
  if (node.context) return startFromContext(node, inputs, platform, node.context);
  const reference = parseBase(node.image);
  const context = findNamedContext(inputs.options.contexts ?? {}, reference, platform);
  if (context) return startFromContext(node, inputs, platform, context);
  return startFromImage(node, inputs, platform, { reference, written: node.image });
}
