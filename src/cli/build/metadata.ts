import type { Solved } from './solve.ts';

/** What exporters say of a result as buildx writes it into a file: values that are JSON in base64 as what they are. */
export function metadataText({ ref, response }: Solved): string {
  const entries = Object.entries(response).map(([name, value]) => [name, decoded(value)] as const);
  const metadata = Object.fromEntries(
    [...entries, ['buildx.build.ref', `default/default/${ref}`] as const].sort(byName),
  );
  return JSON.stringify(metadata, undefined, 2);
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

function decoded(value: string): unknown {
  const text = Buffer.from(value, 'base64').toString();
  if (!/^[[{]/.test(text)) return value;
  try {
    return JSON.parse(text);
  } catch {
    return value;
  }
}
