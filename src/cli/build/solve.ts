import { setTimeout } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { Control, gateway, type StatusResponse } from '#buildkit';
import type { EngineClient } from '#client';
import { EngineCalls } from './engine-calls.ts';
import { BuildSession, newId } from './session/build-session.ts';
import { fileSync, type SharedFolder } from './session/file-sync.ts';
import type { SessionService } from './session/session-service.ts';

/** A kind of output or of exported cache, with its settings by BuildKit's names. */
export interface Setting {
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Milliseconds that the status of a failed build is waited for. */
const patience = 2_000;

/** One build as an engine is asked for it. */
export interface SolveRequest {
  /** Options of the Dockerfile frontend, by BuildKit's names. */
  readonly options: Readonly<Record<string, string>>;
  /** Folders by the names that the options know them by. */
  readonly folders: ReadonlyMap<string, SharedFolder>;
  /** Everything else that the engine may ask for during the build. */
  readonly services: readonly SessionService[];
  readonly sharedKey: string;
  readonly exporters: readonly Setting[];
  readonly cacheImports: readonly Setting[];
  readonly cacheExports: readonly Setting[];
  readonly entitlements: readonly string[];
}

export interface SolveHooks {
  readonly signal: AbortSignal;
  onStatus(status: StatusResponse): void;
  /** Inputs that only other builds of this run bring, by name; asked for when the session stands. */
  readonly inputs?: () => Promise<MessageInitShape<typeof gateway.SolveRequestSchema>['frontendInputs']>;
  /** What the frontend has made of the Dockerfile, before it is exported. The engine keeps it until this resolves. */
  readonly onResult?: (result: gateway.Result) => Promise<void> | void;
}

export interface Solved {
  /** The build's name in the engine's history. */
  readonly ref: string;
  /** What the exporters say, by BuildKit's names. */
  readonly response: Readonly<Record<string, string>>;
  /** Metadata of the frontend's result; answers of `--call` are in it. */
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}

/**
 * Has an engine build: opens the session, follows the status, runs the Dockerfile frontend and hands its result to the
 * exporters. Throws ConnectError with the engine's reason, or the signal's.
 */
export async function solve(engine: EngineClient, request: SolveRequest, hooks: SolveHooks): Promise<Solved> {
  hooks.signal.throwIfAborted();
  const [calls, session] = await Promise.all([
    EngineCalls.open(engine),
    BuildSession.open(engine, {
      sharedKey: request.sharedKey,
      services: [fileSync(request.folders), ...request.services],
    }),
  ]);
  using _calls = calls;
  using _session = session;
  const ref = newId();
  const stop = new AbortController();
  const signal = AbortSignal.any([hooks.signal, stop.signal]);
  const told = follow(calls, ref, signal, hooks);
  try {
    const solving = calls.call(
      Control.method.solve,
      {
        ref,
        session: session.id,
        exporters: request.exporters.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
        cache: {
          exports: request.cacheExports.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
          imports: request.cacheImports.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
        },
        entitlements: [...request.entitlements],
      },
      { signal },
    );
    // Whichever fails first has the reason.
    solving.catch(() => undefined);
    const result = await Promise.race([runFrontend(calls, ref, request, hooks, signal), failureOf(solving)]);
    const { exporterResponse } = await solving;
    await told;
    return { ref, response: exporterResponse, metadata: result.metadata };
  } catch (error) {
    // The engine has still to say which step has failed.
    await Promise.race([told, setTimeout(patience, undefined, { signal }).catch(() => undefined)]);
    hooks.signal.throwIfAborted();
    throw error;
  } finally {
    stop.abort();
  }
}

/** The client's side of the frontend bridge: has the Dockerfile frontend run, and returns what it made. */
async function runFrontend(
  calls: EngineCalls,
  ref: string,
  request: SolveRequest,
  { inputs, onResult }: SolveHooks,
  signal: AbortSignal,
): Promise<gateway.Result> {
  const { method } = gateway.LLBBridge;
  const options = { signal, headers: { 'buildkit-controlapi-buildid': ref } };
  try {
    const frontendInputs = await inputs?.();
    const { result } = await calls.call(
      method.solve,
      {
        frontend: 'dockerfile.v0',
        frontendOpt: { ...request.options },
        allowResultReturn: true,
        allowResultArrayRef: true,
        ...(frontendInputs && { frontendInputs }),
        cacheImports: request.cacheImports.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
      },
      options,
    );
    if (!result) throw new ConnectError('the engine has not returned a result', Code.Internal);
    await onResult?.(result);
    await calls.call(method.return, { result }, options);
    return result;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    await calls.call(method.return, { error: { code, message: rawMessage } }, options).catch(() => undefined);
    throw error;
  }
}

async function follow(
  calls: EngineCalls,
  ref: string,
  signal: AbortSignal,
  hooks: SolveHooks,
): Promise<void> {
  try {
    for await (const status of calls.stream(Control.method.status, { ref }, { signal }))
      hooks.onStatus(status);
  } catch {
    // What went wrong with the build is told by the build.
  }
}

async function failureOf(solving: Promise<unknown>): Promise<never> {
  await solving;
  return new Promise<never>(() => undefined);
}
