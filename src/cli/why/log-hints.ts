/** Fixes for what programs often say last. `text`: the last lines of a log. */
export function fixesOfLog(
  text: string,
  { program, name }: { program: string; name: string },
): readonly string[] {
  return hints.filter(([pattern]) => pattern.test(text)).map(([, fix]) => fix({ program, name }));
}

type Hint = readonly [RegExp, (named: { program: string; name: string }) => string];

const hints: readonly Hint[] = [
  [
    /heap out of memory|java\.lang\.OutOfMemoryError|Cannot allocate memory/i,
    ({ program, name }) =>
      `give it more memory (${program} update --memory … ${name}), or make the program use less`,
  ],
  [
    /address already in use|EADDRINUSE/i,
    () =>
      'two programs inside the container (or inside the network that it shares) listen on one port: change one',
  ],
  [
    /permission denied|EACCES/i,
    () =>
      'see whether the user of the container (--user, USER) may use the file; for bind mounts see its owner on the host',
  ],
  [
    /no space left on device|ENOSPC/i,
    ({ program }) => `the disk is full: ${program} system df, ${program} system prune`,
  ],
  [/read-only file system|EROFS/i, () => 'the place is read-only: mount a volume or --tmpfs there'],
  [/too many open files|EMFILE/i, () => 'raise the limit of open files: --ulimit nofile=65536:65536'],
  [
    /could not resolve|name or service not known|temporary failure in name resolution|ENOTFOUND|EAI_AGAIN|bad address/i,
    () => 'a name was not found: put the containers on one network of your own, and see --dns',
  ],
  [
    /connection refused|ECONNREFUSED/i,
    () =>
      'what it connects to does not listen (yet): localhost inside a container is the container itself; use names of containers',
  ],
  [
    /Cannot find module|ModuleNotFoundError|No module named/i,
    () => 'a module is missing from the image: install it in the Dockerfile, or see whether a mount hides it',
  ],
];
