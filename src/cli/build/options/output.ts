import type { BuildOutput } from '../build-options.ts';
import { fieldsOf } from './pairs.ts';

const types = ['image', 'registry', 'docker', 'oci', 'tar', 'local', 'cacheonly'];

/** `type=local,dest=out`; a path alone is a folder, `-` a tar on standard output. Throws buildx's texts. */
export function parseOutput(text: string): BuildOutput {
  if (!text.includes('=') && !text.includes(',')) {
    return text === '-' ? { type: 'tar', dest: '-', attrs: {} } : { type: 'local', dest: text, attrs: {} };
  }
  const { type, dest, ...attrs } = Object.fromEntries(
    fieldsOf(text, (field) => {
      throw new Error(`invalid value ${field}`);
    }),
  ) as Record<string, string>;
  if (type === undefined || type === '') throw new Error('type is required for output');
  if (!types.includes(type)) throw new Error(`unsupported output type ${JSON.stringify(type)}`);
  if (attrs['tar'] !== undefined && type !== 'oci' && type !== 'docker') {
    throw new Error(`output type ${type} has no setting tar`);
  }
  return { type, ...(dest !== undefined && { dest }), attrs };
}
