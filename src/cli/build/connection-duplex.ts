import { Duplex } from 'node:stream';
import type { Connection } from '#client';

/** A connection as a stream of Node's, which HTTP/2 is spoken on. */
export class ConnectionDuplex extends Duplex {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
  }

  override _read(): void {
    this.#connection.read().then(
      (chunk) => this.push(chunk ?? null),
      (error: unknown) => this.destroy(error as Error), // of a socket
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    this.#connection.write(chunk).then(() => done(), done);
  }

  /** Small frames leave together. */
  override _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done);
  }

  override _final(done: () => void): void {
    this.#connection.closeWrite();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection.destroy();
    done(error);
  }
}
