import { EngineClient } from '#client';
import type { ConfigFile } from './config/config-file.ts';
import type { ChosenEndpoint } from './config/endpoint.ts';
import type { Output } from './output.ts';
import { programVersion } from './program-version.ts';

/** The client of the chosen engine. Where nobody named one, root's first command starts the machine's own. */
export function makeEngine(
  chosen: ChosenEndpoint,
  config: ConfigFile,
  env: Readonly<Record<string, string | undefined>>,
  err: Output,
): EngineClient {
  const version = env['DOCKER_API_VERSION'];
  return new EngineClient({
    endpoint: chosen.endpoint,
    userAgent: `Wharf-Client/${programVersion} (linux)`,
    ...(config.data.HttpHeaders && { headers: config.data.HttpHeaders }),
    ...(version !== undefined && version !== '' && { version }),
    ...(chosen.isDefault &&
      process.getuid?.() === 0 && {
        onAbsent: async () => {
          const { startForClient } = await import('./daemon/lifecycle.ts');
          const { findDaemon } = await import('./daemon/find-daemon.ts');
          await startForClient(err, findDaemon(env));
          return true;
        },
      }),
  });
}
