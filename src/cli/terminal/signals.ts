import type { Context } from '../context.ts';

const proxied =
  'SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGTERM SIGCONT SIGTSTP SIGTTIN SIGTTOU SIGWINCH'.split(' ');

/** Sends the signals that this program gets on to a container until the result is disposed. */
export function proxySignals(context: Context, container: string): Disposable {
  const forward = (signal: string): void => {
    void context.engine
      .done({
        method: 'POST',
        path: `/containers/${encodeURIComponent(container)}/kill`,
        query: { signal: signal.replace(/^SIG/, '') },
      })
      // The container may be gone or not yet running.
      .catch(() => undefined);
  };
  for (const signal of proxied) process.on(signal, forward);
  return {
    [Symbol.dispose]() {
      for (const signal of proxied) process.off(signal, forward);
    },
  };
}
