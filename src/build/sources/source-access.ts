/** What a client lends for fetching what only it may see. */
export interface SourceAccess {
  /** Undefined where it has none of that name. */
  secret(id: string): Promise<Uint8Array | undefined>;
  /** The socket of an agent with its keys. Throws invalidArgument where it lends none. */
  sshAgent?(id: string): Promise<{ readonly path: string } & AsyncDisposable>;
}
