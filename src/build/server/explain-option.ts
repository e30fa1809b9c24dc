/** The option of the frontend with which a client asks why each step was done; the answer is in the response. */
export const explainOption = 'wharf.explain';

/** The option with which a client asks to keep what a failed command leaves, as an image that the error's metadata names. */
export const debugOption = 'wharf.debug';
export const keptImageHeader = 'wharf-failed-image';

/** Clients that know no such option have `--build-arg WHARF_EXPLAIN=1`. */
export function isExplained(options: Readonly<Record<string, string>>): boolean {
  const value = options[explainOption] ?? options['build-arg:WHARF_EXPLAIN'] ?? '';
  return !['', '0', 'false'].includes(value);
}

/**
 * Which of a client's builds one is: of the same folder, file and target. `sharedKey` is the session's; clients without
 * any name for their folder are told apart by the file's text.
 */
export function identityOf(
  {
    options,
    name,
    text,
  }: { readonly options: Readonly<Record<string, string>>; readonly name: string; readonly text: string },
  sharedKey: string,
): string {
  const folder = [sharedKey, options['sharedkey:localdir:context'] ?? '', options['context'] ?? ''];
  const isKnown = folder.some((part) => part !== '');
  return JSON.stringify([
    ...[isKnown ? folder : text, name],
    ...[options['target'] ?? '', options['platform'] ?? ''],
  ]);
}
