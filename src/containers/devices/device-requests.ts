import type { DeviceRequest } from '#api/types';
import { internal, type Logger } from '#kernel';
import { noEdits, type CdiEdits, type CdiSpec } from './cdi-spec.ts';
import { CdiRegistry, type CdiDevice } from './cdi-registry.ts';

const gpus = 'nvidia.com/gpu';

/**
 * What `--device vendor.com/class=name` and `--gpus` add to a container, from the host's CDI files. Throws internal
 * in Docker's words when a device, or a driver that could provide it, is not there.
 */
export async function requestedDevices(
  requests: readonly DeviceRequest[],
  folders: readonly string[],
  logger: Logger,
): Promise<CdiEdits> {
  if (requests.length === 0) return noEdits;
  const registry = await CdiRegistry.read(folders, logger);
  const names = requests.flatMap((request) => namesOf(request, registry));
  const found = new Map<string, CdiDevice>();
  for (const name of names) {
    const device = registry.find(name);
    if (device) found.set(name, device);
  }
  const missing = names.filter((name) => !found.has(name));
  if (missing.length > 0) {
    throw internal(`CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`);
  }
  return merge([...found.values()]);
}

/** Throws internal when no driver has what is asked for. */
function namesOf(request: DeviceRequest, registry: CdiRegistry): readonly string[] {
  const { Driver: driver = '', Count: count = 0 } = request;
  const ids = request.DeviceIDs ?? [];
  const [capabilities = []] = request.Capabilities ?? [];
  if (driver === 'cdi') return ids;
  const gpu = (driver === '' || driver === 'nvidia') && capabilities.includes('gpu');
  if (!gpu || !registry.has(gpus)) {
    const wanted = (request.Capabilities ?? []).map((all) => `[${all.join(' ')}]`).join(' ');
    throw internal(`could not select device driver "${driver}" with capabilities: [${wanted}]`);
  }
  if (ids.length > 0) return ids.map((id) => `${gpus}=${id}`);
  return count < 0 ? [`${gpus}=all`] : Array.from({ length: count }, (_, index) => `${gpus}=${index}`);
}

function merge(devices: readonly CdiDevice[]): CdiEdits {
  const specs = new Set<CdiSpec>(devices.map(({ spec }) => spec));
  const all = [...[...specs].map((spec) => spec.edits), ...devices.map(({ edits }) => edits)];
  return {
    env: all.flatMap(({ env }) => env),
    deviceNodes: all.flatMap(({ deviceNodes }) => deviceNodes),
    mounts: all
      .flatMap(({ mounts }) => mounts)
      .toSorted((one, other) => depth(one.containerPath) - depth(other.containerPath)),
    hooks: all.flatMap(({ hooks }) => hooks),
    additionalGids: [...new Set(all.flatMap(({ additionalGids }) => additionalGids))],
  };
}

const depth = (path: string): number => path.split('/').filter((part) => part !== '').length;
