import type { ContainerCreateRequest } from '#api/types';
import { apiVersion, type ApiVersion } from '../api-version.ts';

const endpointMacs = apiVersion('1.44');
const noContainerMac = apiVersion('1.52');

/** What clients of a version are told about fields of a create that are on their way out. */
export function createWarnings(
  version: ApiVersion,
  { MacAddress }: ContainerCreateRequest,
): readonly string[] {
  if (!MacAddress || version < endpointMacs || version >= noContainerMac) return [];
  return [
    'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
  ];
}
