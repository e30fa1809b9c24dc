import { test } from 'node:test';
import { client, wharfProgram, type Client } from '../../setup/index.ts';
import type { Engine } from '../docker-cli/engine.ts';

interface CoverOptions {
  /** A reason: the test does not hold here. */
  readonly skip?: string | false;
  /** Milliseconds. */
  readonly timeout?: number;
}

/**
 * A test that observes what these flags of `docker run` (`'--memory --memory-swap'`) do inside a container, or how
 * they are refused. coverage.test.ts reads the calls in this folder: write the flags as one literal, first.
 */
export function covers(
  flags: string,
  title: string,
  body: () => Promise<void> | void,
  options: CoverOptions = {},
): void {
  void test(`${flags}: ${title}`, { skip: options.skip ?? false, timeout: options.timeout ?? 60_000 }, body);
}

/** Our own command line against the same engine. */
export const wharf = (engine: Engine): Client => client(wharfProgram(), engine.env);
