import type { AuthConfig } from '../auth.ts';
import { read, string, struct } from './shape.ts';

const text = string();

const authConfig = struct<AuthConfig>('registry.AuthConfig', {
  username: text,
  password: text,
  auth: text,
  email: text,
  serveraddress: text,
  identitytoken: text,
  registrytoken: text,
});

/** Reads the body of POST /auth, and what X-Registry-Auth holds. */
export const parseAuthConfig = (body: unknown): AuthConfig =>
  read(authConfig, body, { owner: '', prefix: '' });
