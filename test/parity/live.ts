/**
 * Plays the scenarios against both engines and prints where ours answers otherwise.
 *
 *   live.ts [--record] [--golden] [--version VERSION,...] [OPERATION...]
 *
 * PARITY_REFERENCE: the reference engine's socket, PARITY_NAMESPACE: the network namespace that it runs in; --record writes what it answers as the golden files, --golden
 * takes these in its place.
 */
import { parseArgs } from 'node:util';
import { busyboxArchive, startDaemon, startRegistry } from '../setup/index.ts';
import { loadImages } from './images.ts';
import { readGolden, writeGolden } from './golden.ts';
import { compareTranscripts, describe, play } from './replay.ts';
import { relayInto } from './relay.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios/index.ts';

const { values, positionals } = parseArgs({
  options: {
    record: { type: 'boolean' },
    golden: { type: 'boolean' },
    version: { type: 'string' },
  },
  allowPositionals: true,
});
const reference = process.env['PARITY_REFERENCE'];
const chosen = scenarios.filter(
  ({ operation }) => positionals.length === 0 || positionals.includes(operation),
);
const versions = values.version?.split(',');

await busyboxArchive();
if (reference !== undefined) await loadImages(reference);

let answers = 0;
let differing = 0;
let unexplained = 0;
{
  await using registry = await startRegistry();
  await using theirs = await startRegistry();
  await using _relay = await relayInto(process.env['PARITY_NAMESPACE'], theirs.address);
  await using daemon = await startDaemon();
  await loadImages(daemon.socket);
  for (const scenario of chosen) {
    try {
      await playBoth(scenario, daemon.socket, registry.address, theirs.address);
    } catch (error) {
      unexplained++;
      console.log(`${scenario.operation}: could not be played`, error);
    }
  }
}

async function playBoth(
  scenario: Scenario,
  socket: string,
  ownRegistry: string,
  theirRegistry: string,
): Promise<void> {
  const { operation } = scenario;
  const known = values.golden === true || reference === undefined;
  const ours = play(scenario, socket, ownRegistry, versions);
  // It may fail while the reference is still being asked.
  ours.catch(() => undefined);
  const expected = known ? readGolden(operation) : await play(scenario, reference, theirRegistry, versions);
  if (values.record) writeGolden(operation, expected);
  const comparison = compareTranscripts(scenario, expected, await ours);
  const { differing: found } = comparison;
  const open = found.filter((one) => one.unexplained.length > 0).length;
  answers += comparison.answers;
  differing += found.length;
  unexplained += open;
  console.log(`${operation}: ${comparison.answers} answers, ${found.length} differ, ${open} without a cause`);
  if (found.length > 0) console.log(describe(comparison));
}

const share = ((100 * differing) / Math.max(answers, 1)).toFixed(1);
console.log(`${answers} answers, ${differing} differ (${share} %), ${unexplained} without a cause`);
process.exitCode = unexplained > 0 || differing > answers * 0.05 ? 1 : 0;
