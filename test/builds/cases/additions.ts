import { rows } from '../build-case.ts';
import type { BuildCase, ContextEntry } from '../build-case.ts';

const inside: Readonly<Record<string, ContextEntry>> = {
  top: 't',
  'bin/tool': { content: '#!/bin/sh\n', mode: 0o755 },
  'bin/alias': { link: 'tool' },
  'bin/same': { hardLink: 'bin/tool' },
  'deep/er/file': 'f',
};
const files: Readonly<Record<string, ContextEntry>> = {
  'plain.tar': { archive: inside },
  'packed.tar.gz': { archive: inside, compression: 'gzip' },
  'packed.tar.bz2': { archive: inside, compression: 'bzip2' },
  'packed.tar.xz': { archive: inside, compression: 'xz' },
  renamed: { archive: inside, compression: 'gzip' },
  'false.tar': 'this is no tar',
  'a.txt': 'a',
  'dir/in.tar': { archive: inside },
  'dir/b': 'b',
};

const one = (name: string, lines: readonly string[], rest: Partial<BuildCase> = {}): BuildCase => ({
  name: `add/${name}`,
  dockerfile: rows('FROM busybox', ...lines),
  files,
  ...rest,
});

/** What ADD does beyond COPY. */
export const additions: readonly BuildCase[] = [
  one('file', ['ADD a.txt /x']),
  one('folder', ['ADD dir /x']),
  one('tar', ['ADD plain.tar /x']),
  one('tar-gzip', ['ADD packed.tar.gz /x/']),
  one('tar-bzip2', ['ADD packed.tar.bz2 /x/']),
  one('tar-xz', ['ADD packed.tar.xz /x/']),
  one('tar-by-content', ['ADD renamed /x/']),
  one('no-tar-by-name', ['ADD false.tar /x/']),
  one('tar-into-root', ['ADD plain.tar /']),
  one('tar-over-existing', ['RUN mkdir -p -m 711 /x/bin && echo old >/x/top', 'ADD plain.tar /x']),
  one('tar-chown', ['ADD --chown=12:34 plain.tar /x/']),
  one('tar-chmod', ['ADD --chmod=700 plain.tar /x/']),
  one('tar-no-unpack', ['ADD --unpack=false plain.tar /x/']),
  one('tar-and-file', ['ADD plain.tar a.txt /x/']),
  one('tar-wildcard', ['ADD *.tar /x/']),
  one('tar-link', ['ADD --link plain.tar /x/']),
  one('heredoc', ['ADD <<EOF /x', 'text', 'EOF']),
  one('exclude', ['ADD --exclude=*.tar dir /x/']),
  one('copy-does-not-unpack', ['COPY plain.tar /x/']),
  one('through-symlink', ['RUN mkdir /real && ln -s real /alias', 'ADD plain.tar /alias']),
];
