import type { Assignment } from './instruction-node.ts';
import type { Location } from './location.ts';

/** What every instruction has. */
interface Common {
  /** As written: `RUN`, `run`. */
  readonly name: string;
  /** The joined line, trimmed: what progress shows. */
  readonly text: string;
  readonly comments: readonly string[];
  readonly location: Location;
}

/** A file that stands in the Dockerfile, below the instruction. */
export interface InlineFile {
  readonly name: string;
  readonly text: string;
  /** Variables in it are expanded. */
  readonly expand: boolean;
}

/** A command line: for a shell as one text, or as the arguments themselves. */
export interface CommandLineForm {
  readonly words: readonly string[];
  /** To be put behind the shell. */
  readonly shell: boolean;
}

export interface FromInstruction extends Common {
  readonly kind: 'from';
  readonly image: string;
  /** In lower case. */
  readonly stage?: string;
  readonly platform?: string;
  /** The comment that begins with the stage's name. */
  readonly description?: string;
}

export type NetworkMode = 'default' | 'none' | 'host';
export type SecurityMode = 'sandbox' | 'insecure';

export interface DeviceRequest {
  readonly name: string;
  readonly required: boolean;
}

export interface RunInstruction extends Common {
  readonly kind: 'run';
  readonly command: CommandLineForm;
  /** Heredocs, their content untouched. */
  readonly files: readonly { readonly name: string; readonly content: string; readonly chomp: boolean }[];
  /** `--mount` values; variables in them are expanded before parseRunMount() reads them. */
  readonly mounts: readonly string[];
  readonly network: NetworkMode;
  readonly security: SecurityMode;
  readonly devices: readonly DeviceRequest[];
}

interface Transfer extends Common {
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface CopyInstruction extends Transfer {
  readonly kind: 'copy';
  /** A stage, its number, an image or a named context; '' for the build context. */
  readonly from: string;
  readonly parents: boolean;
}

export interface AddInstruction extends Transfer {
  readonly kind: 'add';
  readonly checksum: string;
  /** Undefined where the file does not say. */
  readonly keepGitDir: boolean | undefined;
  readonly unpack: boolean | undefined;
}

export interface CommandInstruction extends Common {
  readonly kind: 'cmd' | 'entrypoint';
  readonly command: CommandLineForm;
}

export interface AssignmentInstruction extends Common {
  readonly kind: 'env' | 'label';
  readonly assignments: readonly Assignment[];
}

export interface ArgDeclaration {
  readonly name: string;
  readonly value: string | undefined;
  readonly description: string;
}

export interface ArgInstruction extends Common {
  readonly kind: 'arg';
  readonly arguments: readonly ArgDeclaration[];
}

export interface ExposeInstruction extends Common {
  readonly kind: 'expose';
  readonly ports: readonly string[];
}

export interface VolumeInstruction extends Common {
  readonly kind: 'volume';
  readonly paths: readonly string[];
}

/** Instructions of one value. */
export interface ValueInstruction extends Common {
  readonly kind: 'user' | 'workdir' | 'stopsignal' | 'maintainer';
  readonly value: string;
}

export interface ShellInstruction extends Common {
  readonly kind: 'shell';
  readonly shell: readonly string[];
}

export interface OnBuildInstruction extends Common {
  readonly kind: 'onbuild';
  /** The instruction to come, as text with its heredocs. */
  readonly trigger: string;
}

/** Durations in nanoseconds, 0 where none is given. */
export interface HealthcheckInstruction extends Common {
  readonly kind: 'healthcheck';
  readonly test: readonly string[];
  readonly interval: bigint;
  readonly timeout: bigint;
  readonly startPeriod: bigint;
  readonly startInterval: bigint;
  readonly retries: number;
}

/** What stands within a stage. */
export type StageInstruction =
  | AddInstruction
  | ArgInstruction
  | AssignmentInstruction
  | CommandInstruction
  | CopyInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | OnBuildInstruction
  | RunInstruction
  | ShellInstruction
  | ValueInstruction
  | VolumeInstruction;

export type Instruction = FromInstruction | StageInstruction;

export interface Stage {
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}
