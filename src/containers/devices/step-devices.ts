import { invalidArgument, type Logger } from '#kernel';
import { CdiRegistry } from './cdi-registry.ts';

/** A device that a build's command asks for. */
export interface StepDevice {
  /** `vendor.com/class=name`, `vendor.com/class=*` for all of a kind, `vendor.com/class` for the first. */
  readonly name: string;
  /** Else the command can do without. */
  readonly required: boolean;
}

/** The full names of those that there are. Throws invalidArgument, in BuildKit's words, for one that must be. */
export async function stepDevices(
  asked: readonly StepDevice[],
  folders: readonly string[],
  logger: Logger,
): Promise<readonly string[]> {
  if (asked.length === 0) return [];
  const registry = await CdiRegistry.read(folders, logger);
  const names = asked.flatMap(({ name, required }) => {
    const found = namesOf(registry, name);
    if (found.length === 0 && required) throw invalidArgument(`required device "${name}" is not registered`);
    return found;
  });
  return [...new Set(names)];
}

function namesOf(registry: CdiRegistry, asked: string): readonly string[] {
  const at = asked.indexOf('=');
  const kind = at === -1 ? asked : asked.slice(0, at);
  const name = at === -1 ? '' : asked.slice(at + 1);
  const all = registry.names(kind).map((each) => `${kind}=${each}`);
  if (name === '*') return all;
  if (name === '') return all.slice(0, 1);
  return registry.find(asked) ? [asked] : [];
}
