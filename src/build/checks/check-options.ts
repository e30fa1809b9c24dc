import { invalidArgument } from '#kernel';
import { parseBoolean, quoted } from '../dockerfile/go-text.ts';

/** Which rules: all, or those by name. */
type Selection = 'all' | ReadonlySet<string>;

/** What `# check=…` and the build argument BUILDKIT_DOCKERFILE_CHECK say. */
export interface CheckOptions {
  readonly skip: Selection;
  readonly experimental: Selection;
  /** Warnings end the build. */
  readonly error: boolean;
}

const none: ReadonlySet<string> = new Set<string>();

export const noCheckOptions: CheckOptions = { skip: none, experimental: none, error: false };

const selection = (value: string): Selection =>
  value === 'all' ? 'all' : new Set(value.split(',').map((name) => name.trim()));

/** `skip=A,B;error=true`. Throws invalidArgument. */
export function parseCheckOptions(text: string): CheckOptions {
  let options = noCheckOptions;
  const trimmed = text.trim();
  if (trimmed === '') return options;
  const [first = '', second, ...others] = trimmed.split(';');
  const parts = [first, ...(second === undefined ? [] : [second])];
  if (others.length > 0) parts.push(others.join(';'));
  for (const part of parts) {
    const at = part.indexOf('=');
    if (at === -1) throw failed(`invalid check option ${quoted(part)}`);
    const key = part.slice(0, at).trim();
    const value = part.slice(at + 1).trim();
    if (key === 'skip' || key === 'experimental') options = { ...options, [key]: selection(value) };
    else if (key !== 'error') throw failed(`invalid check option ${quoted(key)}`);
    else {
      const error = parseBoolean(value);
      if (error === undefined) {
        const problem = `strconv.ParseBool: parsing ${quoted(value)}: invalid syntax`;
        throw failed(`failed to parse check option ${quoted(part)}: ${problem}`);
      }
      options = { ...options, error };
    }
  }
  return options;
}

const failed = (message: string): Error => invalidArgument(`failed to parse check options: ${message}`);
