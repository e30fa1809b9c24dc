import type { ContainerInspectResponse } from '#api/types';
import { messageOf } from '#kernel';
import type { Context } from '../../context.ts';
import { Detached, defaultDetachKeys, parseDetachKeys } from '../../terminal/detach-keys.ts';
import { followSize } from '../../terminal/resize.ts';
import { proxySignals } from '../../terminal/signals.ts';
import { joinStreams } from '../../terminal/streams.ts';
import { exitCode } from './exit-code.ts';

export interface AttachOptions {
  readonly stdin: boolean;
  /** Empty for the default. */
  readonly keys: string;
  /** Send signals on. */
  readonly proxy: boolean;
  /** Called once attached and waited for; starts the container. */
  readonly start?: () => Promise<void>;
  readonly condition?: 'next-exit' | 'removed';
}

/** Attaches to a container, optionally starts it, and returns its exit code; 0 if the user detached. */
export async function attachRunning(
  context: Context,
  { Id: id, Config: { Tty: tty = false } }: ContainerInspectResponse,
  options: AttachOptions,
): Promise<number> {
  const { connection } = await context.engine.hijack({
    method: 'POST',
    path: `/containers/${id}/attach`,
    query: {
      stream: true,
      stdin: options.stdin,
      stdout: true,
      stderr: true,
      detachKeys: options.keys || undefined,
    },
    contentType: 'text/plain',
  });
  const waiting = await context.engine.send({
    method: 'POST',
    path: `/containers/${id}/wait`,
    query: { condition: options.condition },
  });
  using _signals = options.proxy ? proxySignals(context, id) : undefined;
  const streams = joinStreams(context, connection, {
    stdin: options.stdin,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: options.keys === '' ? defaultDetachKeys : parseDetachKeys(options.keys),
  });
  streams.catch(() => undefined);
  if (tty && !options.start) await nudge(context, id);
  try {
    await options.start?.();
  } catch (error) {
    connection.destroy();
    waiting.destroy();
    await streams.catch(() => undefined);
    throw new Error(messageOf(error), { cause: error });
  }
  using _size =
    tty && context.terminal.stdoutIsTerminal ? await followSize(context, `/containers/${id}`) : undefined;
  try {
    await streams;
  } catch (error) {
    if (error instanceof Detached) return 0;
    throw error;
  }
  return await exitCode(waiting);
}

/** A terminal of another size for a moment makes the program draw itself anew for whoever attaches. */
async function nudge(context: Context, id: string): Promise<void> {
  const size = context.terminal.stdoutIsTerminal ? context.terminal.size() : undefined;
  if (!size) return;
  await context.engine
    .done({
      method: 'POST',
      path: `/containers/${id}/resize`,
      query: { h: size.rows + 1, w: size.columns + 1 },
    })
    .catch(() => undefined);
}
