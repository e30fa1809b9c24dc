export type * from './registry-client.ts';
export { createRegistryClient, type RegistryPatience } from './create-registry-client.ts';
export { RegistryFailure } from './registry-failure.ts';
export { headerOf, Transport, type Answer } from './transport.ts';
export { networkFailure } from './network-failure.ts';
export { verified as verifiedTrust } from './trust.ts';
