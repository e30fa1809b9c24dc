import type { Platform } from '#oci';
import type { Location } from '../dockerfile/location.ts';
import { environmentOf, withVariable } from '../dockerfile/variables.ts';
import type { Environment } from '../dockerfile/variables.ts';
import type { ImageDraft } from './image-draft.ts';
import { copyDraft } from './image-draft.ts';
import type { FileSystem } from './vertex.ts';

const historyComment = 'buildkit.dockerfile.v0';

export interface BuildArgument {
  readonly name: string;
  readonly value: string | undefined;
}

/** Where the instructions of which only the last counts were seen in this stage. */
type Singular = 'cmd' | 'entrypoint' | 'healthcheck';

/** A stage between two of its instructions. */
export class StageState {
  root: FileSystem;
  readonly image: ImageDraft;
  readonly platform: Platform;
  environment: Environment;
  directory: string;
  buildArguments: BuildArgument[];
  /** WORKDIR was said in this Dockerfile. */
  hasWorkdir: boolean;
  readonly seen = new Map<Singular, Location>();

  constructor(
    root: FileSystem,
    image: ImageDraft,
    platform: Platform,
    inherited?: Pick<StageState, 'environment' | 'directory' | 'buildArguments' | 'hasWorkdir'>,
  ) {
    this.root = root;
    this.image = image;
    this.platform = platform;
    this.environment = inherited?.environment ?? new Map<string, string>();
    this.directory = inherited?.directory ?? '/';
    this.buildArguments = [...(inherited?.buildArguments ?? [])];
    this.hasWorkdir = inherited?.hasWorkdir ?? false;
    for (const [name, value] of environmentOf(image.config.Env)) this.setVariable(name, value);
  }

  /** What a stage FROM this one begins with. */
  derive(): StageState {
    const image = copyDraft(this.image);
    image.config.OnBuild = undefined;
    return new StageState(this.root, image, this.platform, this);
  }

  setVariable(name: string, value: string): void {
    this.environment = withVariable(this.environment, name, value);
  }

  /** An entry of the image's history. */
  record(createdBy: string, hasLayer = false): void {
    this.image.history.push({
      created_by: createdBy,
      comment: historyComment,
      ...(!hasLayer && { empty_layer: true }),
    });
  }
}
