import { internal, invalidArgument, prefixErrors } from '#kernel';

/** What the third part of `-v source:target:mode` says. */
export interface MountMode {
  readonly rw: boolean;
  /** '' when none is asked for. */
  readonly propagation: string;
  readonly copyUp: boolean;
}

/** Of each group a mode may name one. */
const groups: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'],
  ['nocopy'],
  ['consistent', 'cached', 'delegated'],
];
const propagations = new Set(groups[2]);

export const isPropagation = (text: string): boolean => propagations.has(text);

// Docker answers 500 for an unknown mode, and its clients have learnt to live with it.
const invalidMode = (text: string): Error => internal(`invalid mode: ${text}`);

/** Reads a mode. Throws `invalid mode: …`. */
export function parseMode(text: string): MountMode {
  const options = text === '' ? [] : text.split(',');
  const known = options.every((option) => groups.some((group) => group.includes(option)));
  const clash = groups.some((group) => options.filter((option) => group.includes(option)).length > 1);
  if (!known || clash) throw invalidMode(text);
  return {
    rw: !options.includes('ro'),
    propagation: options.find(isPropagation) ?? '',
    copyUp: !options.includes('nocopy'),
  };
}

/**
 * Reads `container[:mode]` of `--volumes-from`. How mounts propagate and are filled is their owner's affair. Throws
 * invalidArgument and `invalid mode: …`.
 */
export function parseVolumesFrom(spec: string): { readonly container: string; readonly rw: boolean } {
  if (spec === '') throw invalidArgument('volumes-from specification cannot be an empty string');
  const at = spec.indexOf(':');
  if (at < 0) return { container: spec, rw: true };
  const text = spec.slice(at + 1);
  const mode = prefixErrors('', () => parseMode(text), 'invalidArgument');
  if (mode.propagation !== '' || !mode.copyUp) throw invalidArgument(`invalid mode: ${text}`);
  return { container: spec.slice(0, at), rw: mode.rw };
}
