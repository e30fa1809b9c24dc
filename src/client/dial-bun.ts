import type { Connection, Dial } from './connection.ts';
import { Inbox } from './connection.ts';

/** What this file uses of Bun's sockets, which start 7 ms faster than node:net there. */
interface BunSocket {
  write(bytes: Uint8Array): number;
  shutdown(): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}

interface BunRuntime {
  connect(options: {
    unix?: string;
    hostname?: string;
    port?: number;
    allowHalfOpen: boolean;
    socket: Record<string, (socket: BunSocket, value: never) => void>;
  }): Promise<BunSocket>;
}

/** The runtime's own object, if the program runs under Bun. */
export const findBun = (): BunRuntime | undefined => (globalThis as { Bun?: BunRuntime }).Bun;

/** Connects through Bun.connect(); plain sockets only. */
export function dialBun(bun: BunRuntime): Dial {
  return async (endpoint) => {
    const events = new BunEvents();
    const where =
      endpoint.kind === 'unix' ? { unix: endpoint.path } : { hostname: endpoint.host, port: endpoint.port };
    const socket = await bun.connect({ ...where, allowHalfOpen: true, socket: events.handlers() });
    return events.attach(socket);
  };
}

class BunEvents {
  #socket: BunSocket | undefined;
  #drained: (() => void) | undefined;
  #closed = false;
  readonly #inbox = new Inbox({
    pause: () => this.#socket?.pause(),
    resume: () => this.#socket?.resume(),
  });

  handlers(): Record<string, (socket: BunSocket, value: never) => void> {
    return {
      open: (socket) => {
        this.#socket = socket;
      },
      // Bun reuses the buffer that it hands out.
      data: (_socket, chunk: Uint8Array) => this.#inbox.push(chunk.slice()),
      end: () => this.#inbox.end(),
      drain: () => this.#wake(),
      error: (_socket, error: Error) => {
        this.#inbox.fail(error);
        this.#wake();
      },
      close: () => {
        this.#closed = true;
        this.#inbox.end();
        this.#wake();
      },
    };
  }

  #wake(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }

  attach(socket: BunSocket): Connection {
    return {
      read: () => this.#inbox.read(),
      write: (bytes) => this.#write(socket, typeof bytes === 'string' ? Buffer.from(bytes) : bytes),
      closeWrite: () => socket.shutdown(),
      destroy: () => socket.terminate(),
    };
  }

  async #write(socket: BunSocket, bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (!this.#closed && rest.length > 0) {
      const written = socket.write(rest);
      if (written < 0) return;
      rest = rest.subarray(written);
      if (rest.length > 0) {
        await new Promise<void>((resolve) => {
          this.#drained = resolve;
        });
      }
    }
  }
}
