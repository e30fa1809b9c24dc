import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { silentLogger, systemClock } from '#kernel';
import { distributionSuite } from './conformance/distribution-suite.ts';
import { createRegistryServer, type RegistryServer } from './registry-server.ts';

/** Another registry to judge: `WHARF_CONFORMANCE_URL=http://127.0.0.1:5000 node --test distribution.test.ts`. */
const judged = process.env['WHARF_CONFORMANCE_URL'];

let address = judged ?? '';
let server: RegistryServer | undefined;
let root: string;

before(async () => {
  if (judged !== undefined) return;
  root = await mkdtemp(join(tmpdir(), 'wharf-registry-'));
  server = await createRegistryServer({ root, clock: systemClock, logger: silentLogger });
  address = `http://127.0.0.1:${await server.listen({ host: '127.0.0.1', port: 0 })}`;
});

after(async () => {
  if (!server) return;
  await server[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

distributionSuite(judged ?? 'the registry server', () => address);
