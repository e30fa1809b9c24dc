import { jobs, loadBusybox, type Job } from './jobs.ts';
import { median } from './measure.ts';
import { startReference, startWharf, type Peer } from './peers.ts';

/** Rounds alternate between the peers, so that the machine's moods hit both. */
async function compare(job: Job, peers: readonly Peer[]): Promise<readonly number[]> {
  const values: number[][] = peers.map(() => []);
  try {
    for (const peer of peers) await job.prepare?.(peer);
    for (let round = 0; round < job.rounds; round += 1) {
      for (const [index, peer] of peers.entries()) values[index]?.push(await job.measure(peer));
    }
  } finally {
    for (const peer of peers) await job.clean?.(peer);
  }
  return values.map((list) => median(list));
}

function line(job: Job, ours: number, theirs: number): string {
  const ratio = ours / theirs;
  const holds = job.better === 'less' ? ratio <= job.budget : ratio >= job.budget;
  const sign = job.better === 'less' ? '≤' : '≥';
  const number = (value: number): string => value.toFixed(value < 10 ? 2 : 0).padStart(8);
  const columns = [
    job.name.padEnd(42),
    number(ours),
    number(theirs),
    ` ${job.unit.padEnd(5)}`,
    ratio.toFixed(2).padStart(7),
  ];
  return `${columns.join('')}   ${sign} ${job.budget}  ${holds ? 'holds' : 'MISSED'}`;
}

const wanted = process.argv.slice(2);
const chosen = jobs.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));
await using wharf = await startWharf();
await using reference = await startReference();
const peers = [wharf, reference];
for (const peer of peers) await loadBusybox(peer);
console.log(`${''.padEnd(42)}   wharf     ref          ratio   budget`);
for (const job of chosen) {
  const [ours = NaN, theirs = NaN] = await compare(job, peers);
  console.log(line(job, ours, theirs));
}
