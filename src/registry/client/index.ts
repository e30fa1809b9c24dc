export type * from './registry-client.ts';
export { createRegistryClient, type RegistryPatience } from './create-registry-client.ts';
export { RegistryFailure } from './registry-failure.ts';
