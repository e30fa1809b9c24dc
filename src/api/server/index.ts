export {
  createApiServer,
  newestApiVersion,
  type ApiServer,
  type ApiServerOptions,
  type ListenOptions,
} from './api-server.ts';
export type {
  AuthBackend,
  Backends,
  ContainersBackend,
  SystemBackend,
  SystemFacts,
  VersionFacts,
} from './backends.ts';
export type { Route } from './route.ts';
