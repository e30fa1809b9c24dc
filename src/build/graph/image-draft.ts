import type { HealthcheckConfig, ImageConfig, Platform } from '#oci';
import { defaultPath } from './plan-options.ts';
import type { PlannedHistory, PlannedImage } from './plan-options.ts';

/** An image's configuration while a stage changes it. */
export interface ImageDraft {
  platform: Platform;
  author: string | undefined;
  config: ConfigDraft;
  history: PlannedHistory[];
  inheritedHistory: number;
}

export interface ConfigDraft {
  User: string;
  ExposedPorts: Record<string, object> | undefined;
  Env: string[];
  Entrypoint: string[] | undefined;
  Cmd: string[] | undefined;
  Volumes: Record<string, object> | undefined;
  WorkingDir: string;
  Labels: Record<string, string> | undefined;
  StopSignal: string;
  ArgsEscaped: boolean;
  Healthcheck: HealthcheckConfig | undefined;
  OnBuild: string[] | undefined;
  Shell: string[] | undefined;
}

const emptyConfig = (): ConfigDraft => ({
  ...{ User: '', ExposedPorts: undefined, Env: [], Entrypoint: undefined, Cmd: undefined },
  ...{ Volumes: undefined, WorkingDir: '', Labels: undefined, StopSignal: '', ArgsEscaped: false },
  ...{ Healthcheck: undefined, OnBuild: undefined, Shell: undefined },
});

/** FROM scratch. */
export const emptyImage = (platform: Platform): ImageDraft => ({
  platform,
  author: undefined,
  config: {
    ...emptyConfig(),
    WorkingDir: '/',
    Env: platform.os === 'windows' ? [] : [`PATH=${defaultPath}`],
  },
  history: [],
  inheritedHistory: 0,
});

const platformOf = (config: ImageConfig): Platform => ({
  os: config.os,
  architecture: config.architecture,
  ...(config.variant !== undefined && { variant: config.variant }),
  ...(config['os.version'] !== undefined && { 'os.version': config['os.version'] }),
  ...(config['os.features'] !== undefined && { 'os.features': config['os.features'] }),
});

/** What a stage that is built on an image begins with. Triggers are the caller's to run. */
export function draftOf(image: ImageConfig): ImageDraft {
  const config = structuredClone(image.config) ?? {};
  const history = structuredClone(image.history) ?? [];
  return {
    platform: platformOf(image),
    author: image.author,
    config: {
      User: config.User ?? '',
      ExposedPorts: config.ExposedPorts ? { ...config.ExposedPorts } : undefined,
      Env: [...(config.Env ?? [])],
      Entrypoint: config.Entrypoint ? [...config.Entrypoint] : undefined,
      Cmd: config.Cmd ? [...config.Cmd] : undefined,
      Volumes: config.Volumes ? { ...config.Volumes } : undefined,
      WorkingDir: config.WorkingDir ?? '',
      Labels: config.Labels ? { ...config.Labels } : undefined,
      StopSignal: config.StopSignal ?? '',
      ArgsEscaped: config.ArgsEscaped ?? false,
      Healthcheck: config.Healthcheck ?? undefined,
      OnBuild: config.OnBuild ? [...config.OnBuild] : undefined,
      Shell: config.Shell ? [...config.Shell] : undefined,
    },
    history: [...history],
    inheritedHistory: history.length,
  };
}

/** The same on what another build comes to: entries of its own steps have no times yet, as those that follow. */
export function inputDraft(image: ImageConfig): ImageDraft {
  const draft = draftOf(image);
  const first = draft.history.findIndex((entry) => !('created' in entry));
  return { ...draft, inheritedHistory: first === -1 ? draft.history.length : first };
}

export const copyDraft = (draft: ImageDraft): ImageDraft => structuredClone(draft);

/** The draft as it is written: what is empty is left out, as Docker does. */
export function finishedImage({
  platform,
  author,
  config,
  history,
  inheritedHistory,
}: ImageDraft): PlannedImage {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0);
  const kept = Object.entries(config).filter(([key, value]) => key === 'OnBuild' || !isEmpty(value));
  return {
    ...platform,
    ...(author !== undefined && author !== '' && { author }),
    config: Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    history,
    inheritedHistory,
  };
}
