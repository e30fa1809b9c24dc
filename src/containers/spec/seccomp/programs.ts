import { EngineError } from '#kernel';
import { compileSeccomp, type OciSeccomp } from '#linux';

/** Profiles differ by the capabilities asked for; few kinds are in use at a time. */
const capacity = 64;

/** Compiled profiles, each made once: compiling takes longer than all else in a container's start. */
export class SeccompPrograms {
  readonly #known = new Map<string, string | undefined>();

  /**
   * The program as crun's annotation `run.oci.seccomp_bpf_data` takes it (base64); undefined for a profile that the
   * runtime has to compile itself. Throws what compileSeccomp() throws otherwise.
   */
  get(profile: OciSeccomp): string | undefined {
    const key = JSON.stringify(profile);
    if (this.#known.has(key)) return this.#known.get(key);
    const program = compiled(profile);
    const oldest = this.#known.keys().next();
    if (this.#known.size >= capacity && !oldest.done) this.#known.delete(oldest.value);
    this.#known.set(key, program);
    return program;
  }
}

function compiled(profile: OciSeccomp): string | undefined {
  try {
    return Buffer.from(compileSeccomp(profile)).toString('base64');
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'unimplemented') return undefined;
    throw error;
  }
}
