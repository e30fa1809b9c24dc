import { trim, cleanPath } from '#kernel';

/**
 * The patterns of a .dockerignore: comments and empty lines left out, paths made clean and relative, `!` kept.
 * Lines are trimmed, but a comment begins in the first column.
 */
export function parseIgnoreFile(text: string): string[] {
  const patterns: string[] = [];
  for (const row of text.replace(/^\ufeff/, '').split('\n')) {
    if (row.startsWith('#')) continue;
    const line = trim(row);
    if (line === '') continue;
    const negated = line.startsWith('!');
    const written = negated ? trim(line.slice(1)) : line;
    let pattern = written === '' ? '' : cleanPath(written);
    if (pattern.length > 1 && pattern.startsWith('/')) pattern = pattern.slice(1);
    patterns.push(negated ? `!${pattern}` : pattern);
  }
  return patterns;
}

/** Where a build's ignore file is looked for, in order: beside the Dockerfile under its name, then in the root. */
export const ignoreFileNames = (dockerfile: string): readonly string[] => [
  `${dockerfile}.dockerignore`,
  '.dockerignore',
];
