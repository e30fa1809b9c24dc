import type { SshSource } from '../build-options.ts';

/** `default`, `ID=SOCKET` or `ID=KEY,KEY`. */
export function parseSsh(text: string): SshSource {
  const at = text.indexOf('=');
  if (at < 0) return { id: text, paths: [] };
  return { id: text.slice(0, at), paths: text.slice(at + 1).split(',') };
}
