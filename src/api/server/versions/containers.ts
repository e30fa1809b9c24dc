import { objectAt, without, type JsonObject } from './json-object.ts';
import type { Lowering } from './lowering.ts';

/** Places in networks that stood at the top of NetworkSettings when a container had one network. */
const bridgeFields = {
  EndpointID: '',
  Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
  IPAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  MacAddress: '',
} as const;

function addLegacyNetworkSettings(container: JsonObject): JsonObject {
  const settings = objectAt(container, 'NetworkSettings');
  const bridge = objectAt(objectAt(settings, 'Networks'), 'bridge');
  const filled = Object.entries(bridgeFields).map(([name, zero]) => [name, bridge[name] ?? zero]);
  return {
    ...container,
    Config: { OnBuild: null, ...objectAt(container, 'Config') },
    NetworkSettings: {
      Bridge: '',
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      ...Object.fromEntries(filled),
      ...settings,
    },
  };
}

/** Until 1.44 a container's short id was one of its aliases; it has a field of its own since. */
function addShortIdAlias(container: JsonObject): JsonObject {
  const settings = objectAt(container, 'NetworkSettings');
  const id = typeof container['Id'] === 'string' ? container['Id'].slice(0, 12) : '';
  const networks = Object.entries(objectAt(settings, 'Networks')).map(
    ([name, endpoint]): [string, JsonObject] => {
      const known = objectAt({ endpoint }, 'endpoint');
      if (['bridge', 'host', 'none'].includes(name)) return [name, known];
      const asked = known['Aliases'];
      const aliases = Array.isArray(asked) ? asked.map(String) : [];
      return [name, { ...known, Aliases: aliases.includes(id) ? aliases : [...aliases, id] }];
    },
  );
  return { ...container, NetworkSettings: { ...settings, Networks: Object.fromEntries(networks) } };
}

export const lowerContainerInspect: readonly Lowering[] = [
  { before: '1.52', lower: addLegacyNetworkSettings },
  { before: '1.45', lower: addShortIdAlias },
];

export const lowerContainerSummary: readonly Lowering[] = [
  { before: '1.52', lower: (container) => without(container, 'Health') },
  {
    before: '1.46',
    lower: (container) => ({
      ...container,
      HostConfig: without(objectAt(container, 'HostConfig'), 'Annotations'),
    }),
  },
];
