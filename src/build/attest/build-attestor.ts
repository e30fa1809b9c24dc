import type { ImageOutputs } from '#images';
import type { AttestationManifest, AttestedImage, Attestor } from '../export/attestor.ts';
import { attestationManifest, type Attestation } from './attestation.ts';
import type { AttestOptions } from './attest-options.ts';
import type { BuildAccount } from './build-account.ts';
import { provenanceOf } from './provenance/provenance.ts';
import { imagePurl } from './purl.ts';

export interface BuildAttestorOptions {
  readonly asked: AttestOptions;
  readonly account: BuildAccount;
  readonly outputs: Pick<ImageOutputs, 'put'>;
}

/** Says about the images of one build what its client asked for. */
export class BuildAttestor implements Attestor {
  readonly #options: BuildAttestorOptions;

  constructor(options: BuildAttestorOptions) {
    this.#options = options;
  }

  speaks({ inline }: Pick<AttestedImage, 'inline'>): boolean {
    const { provenance } = this.#options.asked;
    return provenance !== undefined && (inline || !provenance.isInlineOnly);
  }

  async attest(image: AttestedImage): Promise<readonly AttestationManifest[]> {
    const { built, manifest, names } = image;
    const { outputs } = this.#options;
    const subjects = names.map((name) => ({
      name: imagePurl(name, built.platform),
      digest: manifest.digest,
    }));
    const attestations = this.#attestations(image).filter(
      ({ isInlineOnly }) => image.inline || !isInlineOnly,
    );
    const made = attestationManifest(attestations, manifest.digest, subjects);
    const content = [...made.statements, made.config];
    for (const { descriptor, data } of [...content, made.manifest]) {
      await outputs.put(descriptor.mediaType, data);
    }
    return [{ entry: made.manifest.descriptor, content: content.map(({ descriptor }) => descriptor) }];
  }

  #attestations({ built, layers }: Pick<AttestedImage, 'built' | 'layers'>): readonly Attestation[] {
    const { asked, account } = this.#options;
    const { provenance } = asked;
    return provenance ? [provenanceOf(account.facts(built, layers), provenance)] : [];
  }
}
