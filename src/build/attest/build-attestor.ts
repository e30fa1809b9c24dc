import type { ImageOutputs } from '#images';
import { formatPlatform, type Descriptor } from '#oci';
import type { AttestationManifest, AttestedImage, Attestor } from '../export/attestor.ts';
import type { BuiltPlatform } from '../export/built-platform.ts';
import { attestationManifest, statementText, type Attestation, type Subject } from './attestation.ts';
import type { AttestOptions } from './attest-options.ts';
import type { BuildAccount } from './build-account.ts';
import { provenanceOf } from './provenance/provenance.ts';
import { imagePurl } from './purl.ts';

export interface BuildAttestorOptions {
  readonly asked: AttestOptions;
  readonly account: BuildAccount;
  readonly outputs: Pick<ImageOutputs, 'put'>;
  /** Lists the packages of a result. */
  readonly list: (built: BuiltPlatform) => Promise<readonly Attestation[]>;
}

/** Says about the results of one build what its client asked for. */
export class BuildAttestor implements Attestor {
  readonly #options: BuildAttestorOptions;
  readonly #sboms = new Map<string, readonly Attestation[]>();

  constructor(options: BuildAttestorOptions) {
    this.#options = options;
  }

  /** How the build came to its results. */
  get account(): BuildAccount {
    return this.#options.account;
  }

  /** Lists what the results are made of, where that is asked for; `telling` tells of it as of a step. */
  async list(
    platforms: readonly BuiltPlatform[],
    telling: <T>(title: string, work: () => Promise<T>) => Promise<T>,
  ): Promise<void> {
    if (!this.#options.asked.sbom) return;
    for (const built of platforms) {
      const name = formatPlatform(built.platform);
      const listed = await telling(`[${name}] generating sbom`, () => this.#options.list(built));
      this.#sboms.set(name, listed);
    }
  }

  speaks({ inline }: Pick<AttestedImage, 'inline'>): boolean {
    const { provenance, sbom } = this.#options.asked;
    return sbom !== undefined || (provenance !== undefined && (inline || !provenance.isInlineOnly));
  }

  async attest(image: AttestedImage): Promise<readonly AttestationManifest[]> {
    const { built, manifest, names } = image;
    const { outputs } = this.#options;
    const subjects = names.map((name) => ({
      name: imagePurl(name, built.platform),
      digest: manifest.digest,
    }));
    const attestations = this.#attestations(built, image.layers, image.inline);
    const made = attestationManifest(attestations, manifest.digest, subjects);
    const content = [...made.statements, made.config];
    for (const { descriptor, data } of [...content, made.manifest]) {
      await outputs.put(descriptor.mediaType, data);
    }
    return [{ entry: made.manifest.descriptor, content: content.map(({ descriptor }) => descriptor) }];
  }

  files(built: BuiltPlatform, subjects: readonly Subject[]): ReadonlyMap<string, string> {
    const layers = built.layers.map(({ blob }) => blob);
    return new Map(
      this.#attestations(built, layers, false).map((attestation) => [
        attestation.fileName,
        statementText(attestation, subjects, { indented: true }),
      ]),
    );
  }

  #attestations(
    built: BuiltPlatform,
    layers: readonly Descriptor[],
    inline: boolean,
  ): readonly Attestation[] {
    const { asked, account } = this.#options;
    const { provenance } = asked;
    const listed = this.#sboms.get(formatPlatform(built.platform)) ?? [];
    if (!provenance || (provenance.isInlineOnly && !inline)) return listed;
    return [...listed, provenanceOf(account.facts(built, layers), provenance)];
  }
}
