export { adminVerbs, runAdministration } from './administration/admin-program.ts';
export { HtpasswdAuthenticator, parseHtpasswd } from './htpasswd.ts';
export { createRegistryServer, type RegistryServer, type RegistryServerOptions } from './registry-server.ts';
export { runRegistry } from './program.ts';
