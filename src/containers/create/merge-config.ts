import type { ContainerConfig, HealthConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import type { ImageRuntimeConfig } from '#oci';

/** What a request leaves open, the image's config fills in. Throws invalidArgument when nothing says what to run. */
export function mergeConfig(request: ContainerConfig, image: ImageRuntimeConfig): ContainerConfig {
  const { entrypoint, cmd } = mergeCommand(request, image);
  if ((entrypoint ?? []).length === 0 && (cmd ?? []).length === 0)
    throw invalidArgument('no command specified');
  const exposed = { ...image.ExposedPorts, ...request.ExposedPorts };
  const volumes = { ...image.Volumes, ...request.Volumes };
  const healthcheck = mergeHealthcheck(request.Healthcheck, image.Healthcheck);
  const workingDir = request.WorkingDir ? request.WorkingDir : (image.WorkingDir ?? '');
  const stopSignal = request.StopSignal ? request.StopSignal : image.StopSignal;
  const stopTimeout = request.StopTimeout ?? image.StopTimeout;
  const shell = request.Shell ?? image.Shell;
  return {
    Hostname: request.Hostname ?? '',
    Domainname: request.Domainname ?? '',
    User: request.User ? request.User : (image.User ?? ''),
    AttachStdin: request.AttachStdin ?? false,
    AttachStdout: request.AttachStdout ?? false,
    AttachStderr: request.AttachStderr ?? false,
    ...(Object.keys(exposed).length > 0 && {
      ExposedPorts: exposed as NonNullable<ContainerConfig['ExposedPorts']>,
    }),
    Tty: request.Tty ?? false,
    OpenStdin: request.OpenStdin ?? false,
    StdinOnce: request.StdinOnce ?? false,
    Env: mergeEnv(image.Env ?? [], request.Env ?? []),
    Cmd: cmd,
    ...(healthcheck && { Healthcheck: healthcheck }),
    ...((request.ArgsEscaped ?? image.ArgsEscaped) && { ArgsEscaped: true }),
    Image: request.Image ?? '',
    // An image's values are as empty as a request's.
    Volumes: Object.keys(volumes).length > 0 ? (volumes as NonNullable<ContainerConfig['Volumes']>) : null,
    WorkingDir: normalizeWorkingDir(workingDir),
    Entrypoint: entrypoint,
    ...(request.NetworkDisabled && { NetworkDisabled: true }),
    OnBuild: image.OnBuild ?? null,
    Labels: { ...image.Labels, ...request.Labels },
    ...(stopSignal !== undefined && { StopSignal: stopSignal }),
    ...(stopTimeout !== undefined && { StopTimeout: stopTimeout }),
    ...(shell && { Shell: shell }),
  };
}

/** An entrypoint of one's own drops the image's command; `--entrypoint ''` drops its entrypoint too. */
function mergeCommand(
  request: ContainerConfig,
  image: ImageRuntimeConfig,
): { entrypoint: readonly string[] | null; cmd: readonly string[] | null } {
  const asked = request.Entrypoint ?? [];
  const cmd = request.Cmd ?? [];
  if (asked.length === 1 && asked[0] === '') return { entrypoint: null, cmd: request.Cmd ?? null };
  if (asked.length > 0) return { entrypoint: asked, cmd: request.Cmd ?? null };
  return { entrypoint: image.Entrypoint ?? null, cmd: cmd.length > 0 ? cmd : (image.Cmd ?? null) };
}

/** The request's variables, then those of the image that it does not set; a bare name removes the image's. */
function mergeEnv(image: readonly string[], request: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';
  const set = new Set(request.map(nameOf));
  return [
    ...request.filter((entry) => entry.includes('=')),
    ...image.filter((entry) => !set.has(nameOf(entry))),
  ];
}

function mergeHealthcheck(
  request: HealthConfig | null | undefined,
  image: ImageRuntimeConfig['Healthcheck'],
): HealthConfig | undefined {
  if (!request) return image ?? undefined;
  if (!image) return request;
  return {
    ...request,
    Test: request.Test && request.Test.length > 0 ? request.Test : (image.Test ?? []),
    Interval: request.Interval ? request.Interval : (image.Interval ?? 0),
    Timeout: request.Timeout ? request.Timeout : (image.Timeout ?? 0),
    StartPeriod: request.StartPeriod ? request.StartPeriod : (image.StartPeriod ?? 0),
    StartInterval: request.StartInterval ? request.StartInterval : (image.StartInterval ?? 0),
    Retries: request.Retries ? request.Retries : (image.Retries ?? 0),
  };
}

function normalizeWorkingDir(path: string): string {
  if (path === '') return '';
  if (!path.startsWith('/')) {
    throw invalidArgument(`the working directory '${path}' is invalid, it needs to be an absolute path`);
  }
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}
