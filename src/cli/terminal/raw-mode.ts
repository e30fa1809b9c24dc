import { spawnSync } from 'node:child_process';

/**
 * Makes the terminal on standard input raw until the result is disposed. The runtime's own raw mode would go on
 * turning line feeds into carriage returns, which garbles full-screen programs; stty does not.
 */
export function makeRaw(): Disposable {
  const before = stty('-g');
  if (before === undefined || stty('raw', '-echo') === undefined) return runtimeRaw();
  const restore = (): void => void stty(before);
  process.on('exit', restore);
  return {
    [Symbol.dispose]() {
      process.off('exit', restore);
      restore();
    },
  };
}

/** What stty prints; undefined if it is missing or fails. */
function stty(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('stty', args, {
    stdio: ['inherit', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

function runtimeRaw(): Disposable {
  process.stdin.setRawMode(true);
  return { [Symbol.dispose]: () => process.stdin.setRawMode(false) };
}
