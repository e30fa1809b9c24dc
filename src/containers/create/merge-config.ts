import { posix } from 'node:path';
import type { ContainerConfig, HealthConfig } from '#api/types';
import { invalidArgument } from '#kernel';
import type { ImageRuntimeConfig } from '#oci';

/** What a request leaves open, the image's config fills in. Throws invalidArgument when nothing says what to run. */
export function mergeConfig(request: ContainerConfig, image: ImageRuntimeConfig): ContainerConfig {
  const command = mergeCommand(request, image);
  if (isEmpty(command.Entrypoint) && isEmpty(command.Cmd)) throw invalidArgument('no command specified');
  const exposed = { ...image.ExposedPorts, ...request.ExposedPorts };
  const volumes = { ...image.Volumes, ...request.Volumes };
  return {
    ...ownSettings(request),
    ...command,
    ...optionalSettings(request, image),
    // An image's values are as empty as a request's.
    ...(Object.keys(exposed).length > 0 && {
      ExposedPorts: exposed as NonNullable<ContainerConfig['ExposedPorts']>,
    }),
    Volumes: Object.keys(volumes).length > 0 ? (volumes as NonNullable<ContainerConfig['Volumes']>) : null,
    User: filled(request.User, image.User),
    Env: mergeEnv(image.Env ?? [], request.Env ?? []),
    WorkingDir: normalizeWorkingDir(filled(request.WorkingDir, image.WorkingDir)),
    OnBuild: image.OnBuild ?? null,
    Labels: { ...image.Labels, ...request.Labels },
  };
}

const filled = (value: string | undefined, fallback: string | undefined): string => value || fallback || '';
const isEmpty = (list: readonly string[] | null | undefined): boolean => !list || list.length === 0;

/** What an image has no say in. */
function ownSettings(request: ContainerConfig): ContainerConfig {
  const flag = (value: boolean | undefined): boolean => value ?? false;
  return {
    Hostname: filled(request.Hostname, ''),
    Domainname: filled(request.Domainname, ''),
    AttachStdin: flag(request.AttachStdin),
    AttachStdout: flag(request.AttachStdout),
    AttachStderr: flag(request.AttachStderr),
    Tty: flag(request.Tty),
    OpenStdin: flag(request.OpenStdin),
    StdinOnce: flag(request.StdinOnce),
    Image: filled(request.Image, ''),
    ...(request.NetworkDisabled && { NetworkDisabled: true }),
    ...(request.MacAddress && { MacAddress: request.MacAddress }),
  };
}

/** What is only there when the request or the image has it. */
function optionalSettings(request: ContainerConfig, image: ImageRuntimeConfig): ContainerConfig {
  const healthcheck = mergeHealthcheck(request.Healthcheck, image.Healthcheck);
  const stopSignal = filled(request.StopSignal, image.StopSignal);
  const stopTimeout = request.StopTimeout ?? image.StopTimeout;
  const shell = request.Shell ?? image.Shell;
  return {
    ...(healthcheck && { Healthcheck: healthcheck }),
    ...((request.ArgsEscaped ?? image.ArgsEscaped) && { ArgsEscaped: true }),
    ...(stopSignal !== '' && { StopSignal: stopSignal }),
    ...(stopTimeout !== undefined && { StopTimeout: stopTimeout }),
    ...(shell && { Shell: shell }),
  };
}

/** An entrypoint of one's own drops the image's command; `--entrypoint ''` drops its entrypoint too. */
function mergeCommand(
  request: ContainerConfig,
  image: ImageRuntimeConfig,
): Required<Pick<ContainerConfig, 'Entrypoint' | 'Cmd'>> {
  const asked = request.Entrypoint ?? [];
  const own = request.Cmd ?? null;
  if (asked.length === 1 && asked[0] === '') return { Entrypoint: null, Cmd: own };
  if (asked.length > 0) return { Entrypoint: asked, Cmd: own };
  const entrypoint = image.Entrypoint ?? (request.Entrypoint ? [] : null);
  return { Entrypoint: entrypoint, Cmd: isEmpty(own) ? (image.Cmd ?? null) : own };
}

/** The request's variables, then those of the image that it does not set; a bare name removes it from all. */
function mergeEnv(image: readonly string[], request: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';
  const set = new Set(request.map(nameOf));
  return [...request, ...image.filter((entry) => !set.has(nameOf(entry)))];
}

function mergeHealthcheck(
  request: HealthConfig | null | undefined,
  image: ImageRuntimeConfig['Healthcheck'],
): HealthConfig | undefined {
  if (!request) return image ?? undefined;
  if (!image) return request;
  const set = Object.entries(request).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : Boolean(value),
  );
  return { ...image, ...Object.fromEntries(set) };
}

function normalizeWorkingDir(path: string): string {
  if (path === '') return '';
  if (!path.startsWith('/')) {
    throw invalidArgument(`the working directory '${path}' is invalid, it needs to be an absolute path`);
  }
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}
