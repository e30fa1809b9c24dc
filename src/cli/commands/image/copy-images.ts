import type { ProgressMessage } from '#api/types';
import { formatEndpoint, isNotFound, jsonLines, type EngineClient } from '#client';
import { messageOf } from '#kernel';
import type { Context } from '../../context.ts';
import type { Output } from '../../output.ts';
import { showProgress } from '../../terminal/progress.ts';
import { imagePath } from './path.ts';

interface Wanted {
  readonly receipt: string;
  readonly digest: string;
  readonly offset: number;
}

interface CopyOptions {
  readonly from: EngineClient;
  readonly to: EngineClient;
  /** Whose words the progress has. */
  readonly words: 'push' | 'pull';
  readonly quiet: boolean;
}

const attempts = 5;
const delay = 1000;

/**
 * Copies images from one engine to another. Only what the receiver lacks is carried; after a break of the connection
 * it goes on where it was. Where one of the two is not Wharf, images go whole, as `save` and `load` have it.
 */
export async function copyImages(
  context: Context,
  names: readonly string[],
  options: CopyOptions,
): Promise<void> {
  const out: Output = options.quiet ? { write: () => undefined } : context.out;
  for (const name of names) {
    const offer = await offerOf(name, options);
    const isDone = offer !== undefined && (await copyOffer(context, offer, { ...options, out }));
    if (!isDone) await copyWhole(context, name, { ...options, out });
  }
}

/** undefined: the engine makes no offers. */
async function offerOf(name: string, { from, to }: CopyOptions): Promise<object | undefined> {
  try {
    return await from.json<object>({
      method: 'GET',
      path: `${imagePath(name)}/offer`,
      // On this machine a copy is faster than compression.
      query: { compress: [from, to].some(({ endpoint }) => endpoint.kind !== 'unix') },
    });
  } catch (error) {
    if (isNotFound(error) && isForeign(error)) return undefined;
    throw error;
  }
}

/** What engines say of a path they do not know. */
const isForeign = (error: unknown): boolean => /page not found/.test(messageOf(error));

type Copying = CopyOptions & { readonly out: Output };

/** false: the receiver takes no offers. */
async function copyOffer(context: Context, offer: object, copying: Copying): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await receive(context, offer, copying);
      return true;
    } catch (error) {
      if (isNotFound(error) && isForeign(error)) return false;
      if (attempt === attempts || !isBreak(error)) throw error;
      context.err.write(`${messageOf(error)}; trying again\n`);
      await new Promise((resolve) => setTimeout(resolve, attempt * delay));
    }
  }
}

/** The stream ended before the receiver had said how it went. */
class Break extends Error {
  override readonly name = 'Break';
}

const brokenOff = ({ endpoint }: EngineClient, cause?: unknown): Break =>
  new Break(`the connection to ${formatEndpoint(endpoint)} broke off`, { cause });

const isBreak = (error: unknown): boolean =>
  error instanceof Break || /^error during connect|^cannot reach the engine/.test(messageOf(error));

async function receive(context: Context, offer: object, copying: Copying): Promise<void> {
  const { from, to, words, out } = copying;
  const abort = new AbortController();
  const deliveries = new Set<Promise<void>>();
  const state: { failure?: Error; isWhole: boolean } = { isWhole: false };
  const answer = await to.send({
    method: 'POST',
    path: '/images/receive',
    query: { words },
    json: offer,
    signal: abort.signal,
  });
  const carry = (wanted: Wanted): void => {
    const delivery = deliver(from, to, wanted, abort.signal)
      .catch((error: unknown) => {
        state.failure ??= new Error(messageOf(error), { cause: error });
        abort.abort(error);
      })
      .finally(() => deliveries.delete(delivery));
    deliveries.add(delivery);
  };
  const messages = async function* (): AsyncGenerator<ProgressMessage, void, undefined> {
    for await (const message of jsonLines(answer.body) as AsyncGenerator<ProgressMessage>) {
      if (/: digest: /.test(message.status ?? '')) state.isWhole = true;
      yield message;
    }
  };
  const columns = context.terminal.size()?.columns;
  try {
    await showProgress(messages(), out, {
      isTerminal: !copying.quiet && context.terminal.stdoutIsTerminal,
      ...(columns !== undefined && { columns }),
      onAux: (aux) => carry((aux as { Want: Wanted }).Want),
    });
  } catch (error) {
    if (state.failure) throw state.failure;
    if (error instanceof Error && error.name === 'StreamError') throw error;
    throw brokenOff(to, error);
  } finally {
    abort.abort();
    await Promise.allSettled(deliveries);
  }
  if (!state.isWhole) throw brokenOff(to);
}

/**
 * Carries one blob. That the receiver takes no more is its own affair: it asks again, or says why it has failed.
 * Throws what is wrong with the reading.
 */
async function deliver(
  from: EngineClient,
  to: EngineClient,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<void> {
  const { receipt, digest, offset } = wanted;
  const path = `/blobs/${digest}`;
  const { body } = await from.send({ method: 'GET', path, query: { offset: String(offset) }, signal });
  const reading: { failure?: unknown } = {};
  const bytes = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* body;
    } catch (error) {
      reading.failure = error;
      throw error;
    }
  };
  try {
    await to.done({
      method: 'PUT',
      path,
      query: { receipt, offset: String(offset) },
      stream: bytes(),
      signal,
    });
  } catch {
    // Said by the receiver.
  }
  if (reading.failure !== undefined && !signal.aborted) {
    throw new Error(`cannot read ${digest}: ${messageOf(reading.failure)}`, { cause: reading.failure });
  }
}

async function copyWhole(context: Context, name: string, copying: Copying): Promise<void> {
  const { from, to, out } = copying;
  context.err.write(
    `One of ${formatEndpoint(from.endpoint)} and ${formatEndpoint(to.endpoint)} is not Wharf: ${name} is sent whole, as save and load do\n`,
  );
  const { body } = await from.send({ method: 'GET', path: '/images/get', query: { names: [name] } });
  const messages = to.objects<ProgressMessage>({
    method: 'POST',
    path: '/images/load',
    query: { quiet: '1' },
    stream: body,
    contentType: 'application/x-tar',
  });
  const columns = context.terminal.size()?.columns;
  await showProgress(messages, out, {
    isTerminal: !copying.quiet && context.terminal.stdoutIsTerminal,
    ...(columns !== undefined && { columns }),
  });
}
