import { trim } from '#kernel';

/** A row without the blanks at its end that are not escaped. */
function withoutTail(row: string): string {
  const text = row.replace(/\r$/, '');
  const end = text.replace(/ +$/, '');
  return end.endsWith('\\') && end.length < text.length ? `${end} ` : end;
}

function convert(line: string, folder: string): string | undefined {
  const negated = line.startsWith('!');
  // An escaped first character is only that character.
  const written = (negated ? line.slice(1) : line).replace(/^\\([#!])/, '$1');
  const isFolder = written.endsWith('/');
  const body = written.replace(/^\//, '').replace(/\/+$/, '');
  if (body === '') return undefined;
  const isAnchored = written.replace(/\/+$/, '').includes('/');
  const placed = isAnchored || body.startsWith('**/') ? body : `**/${body}`;
  const pattern = folder === '' ? placed : `${folder}/${placed}`;
  return `${negated ? '!' : ''}${pattern}${isFolder ? '/**' : ''}`;
}

/**
 * The rows of a .gitignore as patterns of a .dockerignore: names without a slash hold in every folder, those with one
 * from the file's own folder (`''` for the root) on. A pattern for folders alone leaves the folder itself, empty,
 * since patterns do not know what a path is. What git leaves untracked for other reasons is not told here.
 */
export const gitIgnorePatterns = (text: string, folder = ''): string[] =>
  text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map(withoutTail)
    .filter((row) => trim(row) !== '' && !row.startsWith('#'))
    .map((row) => convert(row, folder))
    .filter((pattern) => pattern !== undefined);
