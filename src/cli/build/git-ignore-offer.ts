import type { Amount, ContextCount } from './git-ignores.ts';
import { bytesText } from './progress/task-text.ts';

/** What is said of a git checkout that is sent whole; empty where git would leave nothing of it out. */
export function gitIgnoreOffer({ all, ignored }: Pick<ContextCount, 'all' | 'ignored'>): string {
  if (ignored.files === 0) return '';
  return (
    `\n There is no .dockerignore: the build looks at ${amountText(all)} of this git checkout.\n` +
    ` --use-gitignore leaves out ${amountText(ignored)} that .gitignore names, and .git.\n`
  );
}

const amountText = ({ files, bytes }: Amount): string =>
  `${files} file${files === 1 ? '' : 's'} (${bytesText(bytes)})`;
