/**
 * Plays the scenarios against both engines and prints where ours answers otherwise.
 *
 *   live.ts [--record] [--against-golden] [OPERATION...]
 *
 * PARITY_REFERENCE: the reference engine's socket; --record writes what it answers as the golden files.
 */
import { parseArgs } from 'node:util';
import { busyboxArchive, startDaemon } from '../setup/index.ts';
import { loadImages } from './images.ts';
import { readGolden, writeGolden } from './golden.ts';
import { compareTranscripts, describe, play } from './replay.ts';
import { scenarios } from './scenarios/index.ts';

const { values, positionals } = parseArgs({
  options: {
    record: { type: 'boolean' },
    'against-golden': { type: 'boolean' },
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
  await using daemon = await startDaemon();
  await loadImages(daemon.socket);
  for (const scenario of chosen) {
    const { operation } = scenario;
    const known = values['against-golden'] || reference === undefined;
    const [expected, ours] = await Promise.all([
      known ? readGolden(operation) : play(scenario, reference, versions),
      play(scenario, daemon.socket, versions),
    ]);
    if (values.record) writeGolden(operation, expected);
    const comparison = compareTranscripts(scenario, expected, ours);
    const open = comparison.differing.filter((one) => one.unexplained.length > 0).length;
    answers += comparison.answers;
    differing += comparison.differing.length;
    unexplained += open;
    console.log(
      `${operation}: ${comparison.answers} answers, ${comparison.differing.length} differ, ${open} without a cause`,
    );
    if (comparison.differing.length > 0) console.log(describe(comparison));
  }
}
const share = ((100 * differing) / Math.max(answers, 1)).toFixed(1);
console.log(`${answers} answers, ${differing} differ (${share} %), ${unexplained} without a cause`);
process.exitCode = unexplained > 0 || differing > answers * 0.05 ? 1 : 0;
