import { invalidArgument, unimplemented } from '#kernel';
import { commaFields } from '../dockerfile/comma-fields.ts';
import { parseBoolean, quoted } from '../dockerfile/go-text.ts';

/** How the provenance of a build is written. */
export interface ProvenanceOptions {
  /** `max` tells every step, the Dockerfile, and the values of build arguments. */
  readonly mode: 'min' | 'max';
  /** Of the SLSA predicate. */
  readonly version: 'v0.2' | 'v1';
  readonly builderId: string;
  readonly isReproducible: boolean;
  readonly isInlineOnly: boolean;
  readonly fileName: string;
}

/** How the list of what a result is made of is written. */
export interface SbomOptions {
  readonly format: 'spdx' | 'cyclonedx';
}

/** What a client wants to be said of a result. */
export interface AttestOptions {
  readonly provenance?: ProvenanceOptions;
  readonly sbom?: SbomOptions;
}

const prefix = 'attest:';

/** Scanner images for which the engine's own scanner stands. */
const ownScanner = /^(?:docker\.io\/)?docker\/(?:buildkit-syft-scanner|scout-sbom-indexer)(?:[:@].*)?$/;

/** Reads `attest:provenance` and `attest:sbom` of a frontend's options. Throws invalidArgument, or unimplemented. */
export function attestOptionsOf(options: Readonly<Record<string, string>>): AttestOptions {
  const asked = Object.entries(options).filter(([name]) => name.startsWith(prefix));
  let attest: AttestOptions = {};
  for (const [name, value] of asked) {
    const type = name.slice(prefix.length);
    const fields = fieldsOf(type, value);
    if (type === 'provenance') attest = { ...attest, provenance: provenanceOf(fields) };
    else if (type === 'sbom') attest = { ...attest, sbom: sbomOf(fields) };
    else throw invalidArgument(`unknown attestation type ${quoted(type)}`);
  }
  return attest;
}

function fieldsOf(type: string, value: string): ReadonlyMap<string, string> {
  const fields = value === '' ? [] : commaFields(value, `attestation ${type}`);
  return new Map(
    fields.map((field) => {
      const at = field.indexOf('=');
      return at === -1 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
    }),
  );
}

function provenanceOf(fields: ReadonlyMap<string, string>): ProvenanceOptions {
  const mode = fields.get('mode') ?? 'max';
  if (mode !== 'min' && mode !== 'max') throw invalidArgument(`invalid mode ${quoted(mode)}`);
  const version = fields.get('version') ?? 'v0.2';
  if (version !== 'v0.2' && version !== 'v1') {
    throw invalidArgument(`invalid provenance SLSA version: ${version}`);
  }
  return {
    ...{ mode, version, builderId: fields.get('builder-id') ?? '' },
    isReproducible: flag(fields, 'reproducible'),
    isInlineOnly: flag(fields, 'inline-only'),
    fileName: fields.get('filename') ?? 'provenance.json',
  };
}

function sbomOf(fields: ReadonlyMap<string, string>): SbomOptions {
  const generator = fields.get('generator') ?? '';
  if (generator !== '' && !ownScanner.test(generator)) {
    throw unimplemented(
      `the SBOM generator ${generator} is not supported: this engine lists packages by itself`,
    );
  }
  const format = fields.get('format') ?? 'spdx';
  if (format !== 'spdx' && format !== 'cyclonedx') {
    throw invalidArgument(`invalid SBOM format ${quoted(format)}`);
  }
  return { format };
}

const flag = (fields: ReadonlyMap<string, string>, name: string): boolean =>
  parseBoolean(fields.get(name) ?? 'false') ?? false;
