import type { WharfVerification } from '#api/types';
import { shortId } from '#kernel';
import { atLeast, defineCommand, ExitStatus } from '../../command.ts';
import { printLine, type Context } from '../../context.ts';
import { bool } from '../../flags/index.ts';
import { wharfOnly } from '../wharf-only.ts';

type Verified = WharfVerification['Images'][number];

export const command = defineCommand({
  synopsis: '[OPTIONS] [IMAGE...]',
  summary: 'Read images again from the disk, and repair what is damaged',
  description:
    'Compare what is on the disk with the digests of the images: manifests, configurations, compressed layers, and ' +
    'every file of the unpacked layers. With --repair, what is damaged or missing is fetched again from the registry ' +
    'that it came from, and unpacked again. The exit code is 1 if something is wrong afterwards.',
  arguments: atLeast(0),
  flags: {
    all: bool('All images', { short: 'a' }),
    repair: bool('Fetch or unpack again what is damaged'),
  },
  async run(context, { flags, args }) {
    if (flags.all === args.length > 0) throw new ExitStatus(125, 'give the names of images, or --all');
    const { Images } = await wharfOnly('verify images', () =>
      context.engine.json<WharfVerification>({
        method: 'POST',
        path: '/images/verify',
        query: { names: args, all: flags.all, repair: flags.repair },
      }),
    );
    for (const image of Images) print(context, image);
    const wrong = Images.filter(({ Defects }) => Defects.some(({ Repaired }) => !Repaired)).length;
    if (wrong > 0) throw new ExitStatus(1, `${wrong} of ${Images.length} images are damaged`);
  },
});

function print({ out }: Context, { Id, Names, Defects }: Verified): void {
  const name = Names[0] ?? shortId(Id);
  if (Defects.length === 0) printLine(out, `${name}: whole`);
  for (const { Kind, Digest, Problem, Repaired, Remedy } of Defects) {
    const [first = '', ...more] = Problem.split('\n');
    printLine(out, `${name}: ${Kind} ${Digest}: ${first}${Repaired ? ' (repaired)' : ''}`);
    for (const line of more) printLine(out, `  ${line}`);
    if (Remedy !== undefined) printLine(out, `  not repaired: ${Remedy}`);
  }
}
