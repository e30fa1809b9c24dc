import type { WharfVerification } from '#api/types';
import { invalidArgument } from '#kernel';
import { ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Route } from '../route.ts';
import { registryAuth } from './system.ts';

/** Reading images again from the disk; not in Docker's API. */
export function imageVerificationRoutes({ images }: Pick<Backends, 'images'>): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/images/verify',
      operation: 'ImageVerify',
      async handle(exchange) {
        const { query, signal } = exchange;
        const names = query.all('names');
        const all = query.boolean('all');
        if (all === names.length > 0) throw invalidArgument('verify takes either names or all=1');
        const options = { repair: query.boolean('repair'), auth: registryAuth(exchange), signal };
        const verified = await images.verify(all ? undefined : names, options);
        const answer: WharfVerification = {
          Images: verified.map(({ id, names: Names, defects }) => ({
            Id: id,
            Names,
            Defects: defects.map(({ kind, digest, problem, isRepaired, remedy }) => ({
              Kind: kind,
              Digest: digest,
              Problem: problem,
              Repaired: isRepaired,
              ...(remedy !== undefined && { Remedy: remedy }),
            })),
          })),
        };
        return ok(answer);
      },
    },
  ];
}
