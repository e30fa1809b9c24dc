import { EngineError } from '#kernel';
import { normalizePlatform } from '#oci';
import type { ImageConfig, Platform } from '#oci';
import { parseCheckOptions } from '../checks/check-options.ts';
import { Checks } from '../checks/checks.ts';
import { checkStages } from '../checks/stage-checks.ts';
import { DockerfileError, locating } from '../dockerfile/location.ts';
import { readDockerfile } from '../dockerfile/parse-dockerfile.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';
import { parseSyntax } from '../dockerfile/parse-syntax.ts';
import { withSuggestion } from '../dockerfile/suggestion.ts';
import { WordExpander } from '../dockerfile/word-expander.ts';
import { PatternMatcher } from '#patterns';
import { applyStage } from './apply-stage.ts';
import { startStage } from './base-image.ts';
import {
  automaticArguments,
  checkDefaultBases,
  platformsOf,
  readGlobalArguments,
} from './global-arguments.ts';
import type { BuildPlatforms } from './global-arguments.ts';
import { GraphBuilder } from './graph-builder.ts';
import { finishedImage } from './image-draft.ts';
import { linkCommand, makeStages } from './make-stages.ts';
import { mergeOutlines } from './outline.ts';
import { scannedSystems } from './scanned-systems.ts';
import { localPaths } from './local-paths.ts';
import type { BuildPlan, ImageRequest, PlanOptions, PlanResult, ResolvedImage } from './plan-options.ts';
import { checkCircles, reachableFrom } from './stage-node.ts';
import type { StageList, StageNode } from './stage-node.ts';
import type { BuildWork } from './stage-work.ts';
import { readTriggers } from './triggers.ts';

/**
 * Dockerfile → graph, without any I/O: the configurations of base images come in `images`, by the keys of the
 * requests that earlier calls answered with. The caller resolves what is asked for and calls again until there is a
 * plan. What is wrong with the file, or with the options, comes back as `failed`.
 */
export function planBuild(
  text: string,
  options: PlanOptions,
  images: ReadonlyMap<string, ResolvedImage> = new Map(),
): PlanResult {
  let checks = new Checks();
  try {
    if (text === '') throw new DockerfileError('the Dockerfile cannot be empty');
    const syntax = parseSyntax(text);
    checks = new Checks(parseCheckOptions(options.check ?? syntax.check ?? ''));
    return new Planner(readDockerfile(syntax, checks), options, images, checks).plan();
  } catch (error) {
    if (!(error instanceof EngineError) || error.kind !== 'invalidArgument') throw error;
    const failure = error instanceof DockerfileError ? error : new DockerfileError(error.message);
    return { kind: 'failed', error: failure, warnings: checks.warnings };
  }
}

class Planner {
  readonly #options: PlanOptions;
  readonly #images: ReadonlyMap<string, ResolvedImage>;
  readonly #checks: Checks;
  readonly #platforms: BuildPlatforms;
  readonly #list: StageList;
  readonly #work: BuildWork;
  readonly #globalArguments: Dockerfile['globalArguments'];

  constructor(
    dockerfile: Dockerfile,
    options: PlanOptions,
    images: ReadonlyMap<string, ResolvedImage>,
    checks: Checks,
  ) {
    this.#options = options;
    this.#images = images;
    this.#checks = checks;
    this.#globalArguments = dockerfile.globalArguments;
    this.#platforms = platformsOf(options);
    const { stages, escape } = dockerfile;
    checkStages(stages, checks);
    const expander = new WordExpander(escape);
    const given = options.buildArguments ?? {};
    const stage = options.target || (stages.at(-1)?.from.stage ?? '');
    const automatic = automaticArguments(this.#platforms, given, stage);
    checkDefaultBases(dockerfile, automatic, expander, checks);
    const globals = readGlobalArguments(dockerfile, automatic, given, expander);
    const inputs = { expander, globals, platforms: this.#platforms, options, checks };
    this.#list = makeStages(inputs, dockerfile);
    const ignore = new PatternMatcher(options.ignorePatterns ?? []);
    this.#work = {
      ...{ graph: new GraphBuilder(), checks, options, expander, escape },
      globalArguments: globals.values,
      // What is taken back by a later pattern cannot be told from the source's name alone.
      isIgnored: (path) => !ignore.hasNegations && path !== '.' && path !== '/' && ignore.excludes(path),
    };
  }

  plan(): PlanResult {
    const target = this.#findTarget();
    this.#linkStages();
    checkCircles(this.#list.nodes);
    const [only, ...others] = this.#list.nodes;
    if (only && others.length === 0) only.title = '';
    const needs = this.#startStages(target);
    if (needs.length > 0) return { kind: 'needs', images: needs, warnings: this.#checks.warnings };
    return this.#apply(target);
  }

  #findTarget(): StageNode {
    const { target } = this.#options;
    const node = target ? this.#list.find(target) : this.#list.nodes.at(-1);
    if (node) return node;
    const index = /^\d+$/.test(target ?? '') ? this.#list.nodes[Number(target)] : undefined;
    if (index) return index;
    const message = `target stage "${target ?? ''}" could not be found`;
    throw new DockerfileError(
      withSuggestion(message, target ?? '', this.#list.titles, { caseSensitive: true }),
    );
  }

  #linkStages(): void {
    for (const node of [...this.#list.nodes]) {
      node.commands = node.instructions.map((instruction) =>
        linkCommand(this.#list, this.#work.expander, node, instruction),
      );
    }
  }

  #wanted(target: StageNode): ReadonlySet<StageNode> {
    return this.#options.allStages === true ? new Set(this.#list.nodes) : reachableFrom(target);
  }

  /** Finds what all wanted stages begin with. Triggers of the images may make more stages wanted. */
  #startStages(target: StageNode): ImageRequest[] {
    const { graph, expander } = this.#work;
    const inputs = {
      ...{ graph, checks: this.#checks, options: this.#options },
      ...{ platforms: this.#platforms, images: this.#images },
    };
    const requests = new Map<string, ImageRequest>();
    for (;;) {
      const wanted = this.#wanted(target);
      const inOrder = this.#list.nodes.filter((node) => wanted.has(node));
      for (const node of inOrder) {
        const request = locating(node.location, () => startStage(node, inputs));
        if (request) requests.set(request.key, request);
      }
      if (requests.size > 0) break;
      const foundMore = inOrder.map((node) => readTriggers(this.#list, expander, node));
      if (!foundMore.includes(true)) break;
    }
    return [...requests.values()];
  }

  #apply(target: StageNode): BuildPlan {
    const wanted = this.#wanted(target);
    const nodes = this.#list.nodes.filter((node) => wanted.has(node));
    const contextPaths = new Set<string>();
    // What has no instructions to wait for is there first: any stage may copy from it.
    const isReady = (node: StageNode): boolean => node.isImplicit || node.context !== undefined;
    for (const node of [...nodes.filter(isReady), ...nodes.filter((one) => !isReady(one))]) {
      for (const path of applyStage(node, this.#work)) contextPaths.add(path);
    }
    target.paths.add('/');
    const { state } = target;
    if (!state) throw new DockerfileError('the target has no result');
    this.#checks.throwIfRequired();
    const { image } = state;
    if (Object.keys(this.#options.labels ?? {}).length > 0)
      image.config.Labels = { ...image.config.Labels, ...this.#options.labels };
    if (!this.#platforms.isImplicit) image.platform = withTarget(image.platform, this.#platforms.target);
    image.platform = normalizePlatform(image.platform);
    const reached = [...reachableFrom(target)];
    return {
      kind: 'plan',
      graph: this.#work.graph.graph,
      result: state.root,
      image: finishedImage(image),
      baseImage: baseOf(target),
      platform: image.platform,
      warnings: this.#checks.warnings,
      localPaths: localPaths(contextPaths, nodes),
      outline: mergeOutlines(
        target.name,
        target.from?.description ?? '',
        reached.map(({ outline }) => outline),
      ),
      course: [
        ...this.#globalArguments.map(({ text }) => ({ text, work: undefined })),
        ...nodes.flatMap(({ course }) => course),
      ],
      scanned: scannedSystems(target, nodes, this.#work),
    };
  }
}

function baseOf(node: StageNode): ImageConfig | undefined {
  return node.base ? baseOf(node.base) : node.start?.config;
}

/** The platform that was asked for, with the variant of the image where that says more. */
function withTarget(actual: Platform, wanted: Platform): Platform {
  const isSame = actual.os === wanted.os && actual.architecture === wanted.architecture;
  return isSame ? { ...actual, ...wanted } : wanted;
}
