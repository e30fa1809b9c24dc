/** What .dockerignore and .gitignore leave out, and patterns of file names as Dockerfiles write them: pure. */
export { FilePattern } from './file-pattern.ts';
export { gitIgnorePatterns } from './git-ignore.ts';
export { ignoreFileNames, parseIgnoreFile } from './ignore-file.ts';
export { PatternMatcher } from './pattern-matcher.ts';
export type { FolderMatch } from './pattern-matcher.ts';
