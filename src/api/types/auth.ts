/** Credentials for a registry: the body of POST /auth and, as base64url JSON, the header X-Registry-Auth. */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  /** base64 of `user:password` */
  readonly auth?: string;
  readonly email?: string;
  readonly serveraddress?: string;
  /** A refresh token in place of the password. */
  readonly identitytoken?: string;
  /** A bearer token sent as it is. */
  readonly registrytoken?: string;
}

export interface AuthResponse {
  readonly Status: string;
  readonly IdentityToken?: string;
}
