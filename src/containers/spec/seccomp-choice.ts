import { release } from 'node:os';
import { hostPlatform } from '#oci';
import { defaultSeccompProfile, parseSeccompProfile, SeccompPrograms } from './seccomp/index.ts';

export interface ChosenSeccomp {
  readonly profile: object;
  /** base64 of the compiled filter, which spares crun the compiling (16 ms) */
  readonly bpf: string | undefined;
}

const capacity = 64;

/** The seccomp profiles of containers, each read and compiled once. */
export class SeccompChoices {
  readonly #programs = new SeccompPrograms();
  readonly #known = new Map<string, ChosenSeccomp | undefined>();

  /**
   * A container's own profile (JSON text), the default, or none (`unconfined`). Both the profile and its compiled
   * form go to the runtime, since runc knows nothing of compiled filters.
   */
  choose(
    asked: string | undefined,
    fallback: string,
    capabilities: readonly string[],
  ): ChosenSeccomp | undefined {
    const choice = asked ?? fallback;
    if (choice === 'unconfined') return undefined;
    const key = `${choice}\n${[...capabilities].sort().join(' ')}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const subject = { capabilities, architecture: hostPlatform().architecture, kernelRelease: release() };
    const profile =
      choice === 'default'
        ? defaultSeccompProfile(capabilities, subject.architecture)
        : parseSeccompProfile(choice, subject);
    const chosen = profile && { profile, bpf: this.#programs.get(profile) };
    if (this.#known.size >= capacity) this.#known.clear();
    this.#known.set(key, chosen);
    return chosen;
  }
}
