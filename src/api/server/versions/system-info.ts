import { objectAt, without, type JsonObject } from './json-object.ts';
import type { Lowering } from './lowering.ts';

const withExpected = (commit: JsonObject): JsonObject => ({ ...commit, Expected: commit['ID'] ?? '' });

function addExpectedCommits(info: JsonObject): JsonObject {
  return {
    ...without(info, 'FirewallBackend'),
    ContainerdCommit: withExpected(objectAt(info, 'ContainerdCommit')),
    RuncCommit: withExpected(objectAt(info, 'RuncCommit')),
    InitCommit: withExpected(objectAt(info, 'InitCommit')),
    RegistryConfig: {
      ...objectAt(info, 'RegistryConfig'),
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
    },
  };
}

function dropRuntimeFeatures(info: JsonObject): JsonObject {
  const runtimes = objectAt(info, 'Runtimes');
  const plain = Object.keys(runtimes).map((name) => [name, without(objectAt(runtimes, name), 'status')]);
  return { ...info, KernelMemory: true, Runtimes: Object.fromEntries(plain) };
}

function nameSecurityOptions(info: JsonObject): JsonObject {
  const options = Array.isArray(info['SecurityOptions']) ? info['SecurityOptions'] : [];
  const names = options.map((option) => /^name=([^,]*)/.exec(String(option))?.[1] ?? String(option));
  return { ...info, SecurityOptions: names };
}

export const systemInfoSteps: readonly Lowering[] = [
  { before: '1.53', lower: (info) => without(info, 'NRI') },
  { before: '1.52', lower: (info) => ({ ...info, KernelMemoryTCP: true }) },
  {
    before: '1.50',
    lower: (info) => ({
      ...without(info, 'DiscoveredDevices'),
      BridgeNfIptables: false,
      BridgeNfIp6tables: false,
    }),
  },
  { before: '1.49', lower: addExpectedCommits },
  { before: '1.46', lower: (info) => without(info, 'Containerd') },
  { before: '1.42', lower: dropRuntimeFeatures },
  { before: '1.25', lower: nameSecurityOptions },
];
