import { pipeline } from 'node:stream/promises';
import type { ImageHandover, ImageOffer } from '#images';
import { invalidArgument } from '#kernel';
import { canonicalString, parseDescriptor, parseDigest, parseReference, type Digest } from '#oci';
import { created, ok } from '../answer.ts';
import type { Backends } from '../backends.ts';
import type { Exchange } from '../exchange.ts';
import { named, type Route } from '../route.ts';
import { withProgress } from './progress-stream.ts';

/**
 * Images from host to host. Not in Docker's API: the offer of one host is posted to the other, whose progress asks for
 * blobs (`aux`: `{ Want: { receipt, digest, offset } }`), which the client reads here and puts there.
 */
export function imageHandoverRoutes({ images }: Pick<Backends, 'images'>): readonly Route[] {
  const { handover } = images;
  if (!handover) return [];
  return [
    {
      method: 'GET',
      path: named('images', '/offer'),
      operation: 'ImageOffer',
      handle: async ({ name, query, signal }) =>
        ok(await handover.offer(name, { compress: query.boolean('compress'), signal })),
    },
    {
      method: 'POST',
      path: '/images/receive',
      operation: 'ImageReceive',
      handle: async (exchange) => receive(handover, exchange),
    },
    {
      method: 'GET',
      path: '/blobs/:digest',
      operation: 'BlobRead',
      handle: async (exchange) => {
        const bytes = await handover.read(digestOf(exchange), exchange.query.integer('offset') ?? 0);
        await pipeline(bytes, exchange.startStream('application/octet-stream'));
        return undefined;
      },
    },
    {
      method: 'PUT',
      path: '/blobs/:digest',
      operation: 'BlobDeliver',
      handle: async (exchange) => {
        const { query, request } = exchange;
        const blob = {
          receipt: query.text('receipt'),
          digest: digestOf(exchange),
          offset: query.integer('offset') ?? 0,
        };
        await handover.deliver(blob, request);
        return created(undefined);
      },
    },
  ];
}

const digestOf = ({ params }: Exchange): Digest => parseDigest(params['digest'] ?? '');

async function receive(handover: ImageHandover, exchange: Exchange): Promise<undefined> {
  const offer = await exchange.body(parseOffer);
  const words = exchange.query.text('words') === 'pull' ? 'pull' : 'push';
  await withProgress(exchange, (report) =>
    handover.receive(offer, {
      signal: exchange.signal,
      report,
      words,
      want: (Want) => report({ aux: { Want } }),
    }),
  );
  return undefined;
}

const what = 'offer of an image';

/** Throws invalidArgument. */
function parseOffer(body: unknown): ImageOffer {
  if (typeof body !== 'object' || body === null) throw invalidArgument(`invalid ${what}: it is no object`);
  const { id, target, manifest, names, layers, others } = body as Readonly<Record<string, unknown>>;
  return {
    id: parseDigest(String(id)),
    target: parseDescriptor(target, what, 'target'),
    manifest: parseDescriptor(manifest, what, 'manifest'),
    names: listOf(names, 'names').map((name) => canonicalString(parseReference(String(name)))),
    layers: listOf(layers, 'layers').map((layer) => parseDescriptor(layer, what, 'layer')),
    others: listOf(others, 'others').map((other) => {
      const { digest, size } = parseDescriptor({ mediaType: '', ...Object(other) }, what, 'other');
      return { digest, size };
    }),
  };
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidArgument(`invalid ${what}: ${name} must be a list`);
  return value;
}
