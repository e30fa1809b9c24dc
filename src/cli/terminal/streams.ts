import type { Connection } from '#client';
import { chunksOf, demultiplex } from '#client';
import type { Context } from '../context.ts';
import { Detached, untilDetached } from './detach-keys.ts';

export interface StreamOptions {
  /** Send standard input. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  /** Empty: there is no way to detach. */
  readonly detachKeys: Uint8Array;
}

/**
 * Joins the program's own streams with an attached or executed process until its output ends. With a TTY the
 * terminal is raw meanwhile. Throws Detached when the user leaves.
 */
export async function joinStreams(
  context: Context,
  connection: Connection,
  options: StreamOptions,
): Promise<void> {
  using _raw =
    options.tty && options.stdin && context.terminal.stdinIsTerminal
      ? await context.terminal.raw()
      : undefined;
  const output = copyOutput(context, connection, options);
  if (!options.stdin) {
    connection.closeWrite();
    await output;
    return;
  }
  const left = Promise.withResolvers<never>();
  const input = sendInput(context, connection, options).catch((error: unknown) => {
    if (error instanceof Detached) left.reject(error);
  });
  // A process without attached output is done with when its input is.
  const done = options.stdout || options.stderr ? output : Promise.race([output, input]);
  await Promise.race([done, left.promise]);
}

async function copyOutput(context: Context, connection: Connection, options: StreamOptions): Promise<void> {
  const chunks = chunksOf(connection);
  if (options.tty) {
    for await (const chunk of chunks) if (options.stdout) context.out.write(chunk);
    return;
  }
  await demultiplex(chunks, {
    stdout: (bytes) => {
      if (options.stdout) context.out.write(bytes);
    },
    stderr: (bytes) => {
      if (options.stderr) context.err.write(bytes);
    },
  });
}

async function sendInput(context: Context, connection: Connection, options: StreamOptions): Promise<void> {
  const input = context.terminal.input();
  const watched =
    options.tty && options.detachKeys.length > 0 ? untilDetached(input, options.detachKeys) : input;
  for await (const chunk of watched) await connection.write(chunk);
  connection.closeWrite();
}
