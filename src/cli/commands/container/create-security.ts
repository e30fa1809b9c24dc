import { readFileSync } from 'node:fs';
import type { HostConfig } from '#api/types';
import { errnoOf, messageOf } from '#kernel';

/** Reads every `--security-opt`; a seccomp profile is sent with its text in place of its path. */
export function parseSecurity(
  texts: readonly string[],
): Pick<HostConfig, 'SecurityOpt' | 'MaskedPaths' | 'ReadonlyPaths'> {
  const options: string[] = [];
  let paths: readonly string[] | null = null;
  for (const text of texts) {
    if (text === 'systempaths=unconfined') paths = [];
    else options.push(parseOption(text));
  }
  return { SecurityOpt: options.length > 0 ? options : null, MaskedPaths: paths, ReadonlyPaths: paths };
}

function parseOption(text: string): string {
  const [, name = '', value] = /^([^=:]*)(?:[=:]([^]*))?$/.exec(text) ?? [];
  if (value === undefined && name !== 'no-new-privileges')
    throw new Error(`Invalid --security-opt: ${JSON.stringify(text)}`);
  if (name !== 'seccomp' || value === undefined || value === 'unconfined' || value === 'builtin') return text;
  return `seccomp=${readProfile(value)}`;
}

function readProfile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? `open ${path}: no such file or directory` : messageOf(error);
    throw new Error(`opening seccomp profile (${path}) failed: ${why}`, { cause: error });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
