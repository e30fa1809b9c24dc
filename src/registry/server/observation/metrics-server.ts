import { createServer } from 'node:http';
import type { TextAnswer } from '../answer.ts';
import type { RegistryServer } from '../registry-server.ts';

/** Serves /metrics and /healthz to whoever reaches an address, which need not be the registry's own. */
export async function serveMetrics(
  registry: RegistryServer,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AsyncDisposable & { readonly port: number }> {
  const answers: Readonly<Record<string, () => Promise<TextAnswer>>> = {
    '/metrics': () => registry.metrics(),
    '/healthz': () => registry.health(),
  };
  const server = createServer((request, response) => {
    const answer = answers[request.url?.split('?')[0] ?? ''];
    if (!answer || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    void answer().then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
