import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, messageOf, type Logger } from '#kernel';
import { parseCdiSpec, type CdiEdits, type CdiSpec } from './cdi-spec.ts';

interface FoundSpec extends CdiSpec {
  readonly path: string;
  /** Place of its folder in the list: specs of later folders win. */
  readonly priority: number;
}

/** What a device needs: its own edits and those that its file has for any of its devices. */
export interface CdiDevice {
  readonly edits: CdiEdits;
  readonly spec: CdiSpec;
}

/** The devices of the CDI files as they are now. A file that cannot be read is reported and passed over. */
export class CdiRegistry {
  readonly #specs: readonly FoundSpec[];

  private constructor(specs: readonly FoundSpec[]) {
    this.#specs = specs;
  }

  static async read(folders: readonly string[], logger: Logger): Promise<CdiRegistry> {
    const specs: FoundSpec[] = [];
    for (const [priority, folder] of folders.entries()) {
      for (const name of (await filesIn(folder)).toSorted()) {
        const path = join(folder, name);
        try {
          specs.push({ ...parseCdiSpec(await readDocument(path)), path, priority });
        } catch (error) {
          logger.warn({ path, error: messageOf(error) }, 'a CDI file cannot be used');
        }
      }
    }
    return new CdiRegistry(specs);
  }

  /** By `vendor.com/class=name`; undefined when there is none, or two of the same rank. */
  find(qualified: string): CdiDevice | undefined {
    const at = qualified.indexOf('=');
    const [kind, name] = [qualified.slice(0, at), qualified.slice(at + 1)];
    const found = this.#specs.filter((spec) => spec.kind === kind && spec.devices.has(name));
    const best = Math.max(...found.map(({ priority }) => priority));
    const [spec, second] = found.filter(({ priority }) => priority === best);
    const edits = spec?.devices.get(name);
    return spec && edits && !second ? { edits, spec } : undefined;
  }

  /** The names of a kind's devices, in the order of the files. */
  names(kind: string): readonly string[] {
    return [
      ...new Set(
        this.#specs.filter((spec) => spec.kind === kind).flatMap(({ devices }) => [...devices.keys()]),
      ),
    ];
  }

  has(kind: string): boolean {
    return this.#specs.some((spec) => spec.kind === kind);
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => /\.(json|ya?ml)$/.test(name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readDocument(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  if (path.endsWith('.json')) return JSON.parse(text);
  // Only hosts with such files pay for the parser.
  const { parse } = await import('yaml');
  return parse(text, { version: '1.1' });
}
