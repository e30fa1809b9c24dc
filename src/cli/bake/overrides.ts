import { attestText } from '#bake';

/** The flags that change every target. */
export interface OverridingFlags {
  readonly set: readonly string[];
  readonly push: boolean;
  readonly load: boolean;
  readonly call: string;
  readonly check: boolean;
  readonly 'no-cache': boolean;
  readonly pull: boolean;
  readonly sbom: string;
  readonly provenance: string;
}

const calls: Readonly<Record<string, string>> = {
  check: 'lint',
  lint: 'lint',
  outline: 'outline',
  targets: 'targets',
};

/** What `--call` names; undefined for a build. Throws with buildx's words. */
export function callName(text: string): string | undefined {
  const [name = ''] = text.split(',');
  return name === 'build' || name === '' ? undefined : (calls[name] ?? name);
}

/** All that the command line sets, as values of `--set`. */
export function overridesOf(flags: OverridingFlags, changed: ReadonlySet<string>): string[] {
  const call = callName(flags.check ? 'check' : flags.call);
  return [
    ...flags.set,
    ...(flags.push ? ['*.push=true'] : []),
    ...(flags.load ? ['*.load=true'] : []),
    ...(call === undefined ? [] : [`*.call=${call}`]),
    ...(changed.has('no-cache') ? [`*.no-cache=${flags['no-cache']}`] : []),
    ...(changed.has('pull') ? [`*.pull=${flags.pull}`] : []),
    ...(flags.sbom === '' ? [] : [`*.attest=${attestText('sbom', flags.sbom)}`]),
    ...(flags.provenance === '' ? [] : [`*.attest=${attestText('provenance', flags.provenance)}`]),
  ];
}
