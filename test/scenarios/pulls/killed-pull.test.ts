/** A pull whose daemon is killed again and again ends well, and fetches no layer twice. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, smallImage, startDaemon } from '../../setup/index.ts';
import { MeteredRegistry } from './metered-registry.ts';

/** Size of the image; 1024 for the full proof. */
const megabytes = Number(process.env['WHARF_KILLED_PULL_MEGABYTES'] ?? 32);
const kills = 10;
const layerCount = 8;
/** Layers that a pull fetches at once. */
const parallel = 3;
/** Bytes of a layer that are in memory when the daemon dies. */
const inFlight = 512 << 10;

test(`a pull of ${megabytes} MB killed ${kills} times resumes without fetching a finished layer again`, async () => {
  const each = Math.floor((megabytes << 20) / layerCount);
  const image = smallImage(
    Array.from({ length: layerCount }, (_, n) => [{ name: `file${n}`, content: randomBytes(each) }]),
  );
  const total = image.layers.reduce((sum, layer) => sum + layer.length, 0);
  await using registry = await MeteredRegistry.open(image);
  await using daemon = await startDaemon();
  const reference = `${registry.address}/x:1`;
  const finished = new Set<string>();
  for (let round = 1; round <= kills; round += 1) {
    const before = registry.requests.length;
    registry.allow(Math.floor(total / (kills + 1)));
    const pulling = daemon.docker(['pull', reference], { timeout: 300_000 });
    await eventually(() => Promise.resolve(registry.isSpent), { timeout: 120_000 });
    await settled(() => bytesHeld(join(daemon.dataRoot, 'content')));
    await daemon.kill9();
    const { stdout } = await pulling;
    for (const { digest } of registry.requests.slice(before)) {
      assert.ok(!finished.has(digest), `${digest} was complete, and was fetched again in round ${round}`);
    }
    for (const digest of registry.layers) {
      const line = `${digest.slice(7, 19)}: `;
      if (/Download complete|Already exists|Pull complete/.test(linesOf(stdout, line))) finished.add(digest);
    }
    await daemon.start();
  }
  assert.ok(finished.size > 0, 'no layer was complete before the last kill');
  const before = registry.requests.length;
  registry.allow(Infinity);
  const { code, stdout, stderr } = await daemon.docker(['pull', reference], { timeout: 300_000 });
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`Digest: ${registry.digest}`));
  for (const { digest } of registry.requests.slice(before)) assert.ok(!finished.has(digest), digest);
  const surplus = registry.sent - total;
  console.log(
    `${total} bytes in ${layerCount} layers, ${kills} kills: ${registry.sent} bytes sent, ` +
      `${((surplus / total) * 100).toFixed(2)} % more; ${finished.size} layers were complete before the last pull`,
  );
  const bound = Math.max(kills * parallel * inFlight, total / 20);
  assert.ok(surplus <= bound, `${surplus} bytes were sent twice`);
  const again = await daemon.docker(['pull', reference]);
  assert.match(again.stdout, /Image is up to date/);
});

/** Bytes of a folder, with those of what is on its way in. */
async function bytesHeld(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    // Renamed or removed meanwhile.
    .map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Resolves once a number has stayed the same for three looks: what was in flight has arrived. */
async function settled(look: () => Promise<number>): Promise<void> {
  const seen: number[] = [];
  await eventually(async () => {
    seen.push(await look());
    return seen.length > 3 && new Set(seen.slice(-3)).size === 1;
  });
}

const linesOf = (text: string, start: string): string =>
  text
    .split('\n')
    .filter((line) => line.startsWith(start))
    .join('\n');
