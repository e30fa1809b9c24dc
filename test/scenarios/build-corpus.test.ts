import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readBuildResult } from '../builds/build-golden.ts';
import { buildCases } from '../builds/cases/index.ts';
import { causes, legacyCauses } from '../builds/causes.ts';
import { differences } from '../builds/compare.ts';
import { fitsLegacy, runCase } from '../builds/run-case.ts';
import { answerOf, busyboxArchive, debianArchive, startDaemon, type Daemon } from '../setup/index.ts';

/** Every nth case of the corpus; WHARF_BUILD_CASES=1 takes them all. */
const every = Number(process.env['WHARF_BUILD_CASES'] ?? 7);

const recorded = buildCases.filter(({ name, unrecorded }) => unrecorded === undefined && !(name in causes));

describe('Dockerfiles of the corpus come to what the reference makes of them', () => {
  let daemon: Daemon;
  before(async () => {
    daemon = await startDaemon();
    for (const archive of [await busyboxArchive(), await debianArchive()]) {
      await answerOf(daemon.docker, ['load', '-i', archive]);
    }
  });
  after(() => daemon[Symbol.asyncDispose]());

  for (const [index, one] of recorded.entries()) {
    // Other cases than those below, so that more of them are seen.
    if (every === 1 || index % (every * 2) === 3) {
      it(`${one.name} with wharf build`, async () => {
        assert.deepEqual(
          differences(readBuildResult(one.name), await runCase(one, daemon.wharf, 'wharf')),
          [],
        );
      });
    }
    if (index % every !== 0) continue;
    it(one.name, async () => {
      assert.deepEqual(differences(readBuildResult(one.name), await runCase(one, daemon.docker)), []);
    });
    if (!fitsLegacy(one) || one.name in legacyCauses) continue;
    it(`${one.name} as a tar, without BuildKit`, async () => {
      assert.deepEqual(
        differences(readBuildResult(one.name), await runCase(one, daemon.docker, 'legacy')),
        [],
      );
    });
  }
});
