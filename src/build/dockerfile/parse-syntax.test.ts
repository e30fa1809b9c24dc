import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Checks } from '../checks/checks.ts';
import { findSyntax, isBuiltInSyntax } from './directives.ts';
import { DockerfileError } from './location.ts';
import { readDockerfile } from './parse-dockerfile.ts';
import { parseSyntax } from './parse-syntax.ts';
import { sourceExcerpt } from './source-excerpt.ts';

test('parseSyntax() joins continued lines, leaves comments out and says where each instruction stands', () => {
  const { instructions, emptyContinuations } = parseSyntax(
    '# about\nFROM a\n\n  RUN one \\\n  # in between\n\n    two \\  \n three\nCMD x',
  );
  assert.deepEqual(
    instructions.map(({ name, words, location, comments }) => ({ name, words, location, comments })),
    [
      {
        name: 'FROM',
        words: ['a'],
        location: { firstLine: 2, firstColumn: 0, lastLine: 2, lastColumn: 6 },
        comments: ['about'],
      },
      {
        name: 'RUN',
        words: ['one     two  three'],
        location: { firstLine: 4, firstColumn: 2, lastLine: 8, lastColumn: 6 },
        comments: [],
      },
      {
        name: 'CMD',
        words: ['x'],
        location: { firstLine: 9, firstColumn: 0, lastLine: 9, lastColumn: 5 },
        comments: [],
      },
    ],
  );
  assert.deepEqual(
    emptyContinuations.map(({ firstLine }) => firstLine),
    [8],
  );
});

test('parseSyntax() reads heredocs as they stand, with their own ends', () => {
  const { instructions } = parseSyntax(
    'FROM a\nCOPY <<one 3<<-"two x" /d/\n a\n# b\none\n\tc\r\n\t\ttwo x\nRUN cat <<EOF\nEOF\n',
  );
  assert.deepEqual(instructions[1]?.heredocs, [
    { name: 'one', fileDescriptor: 0, expand: true, chomp: false, content: ' a\n# b\n' },
    { name: 'two x', fileDescriptor: 3, expand: false, chomp: true, content: '\tc\r\n' },
  ]);
  assert.equal(instructions[2]?.heredocs[0]?.content, '');
});

test('parseSyntax() takes directives only at the top', () => {
  const syntax = parseSyntax('#escape = `\n# CHECK=skip=all more\n# other=x\n# escape=\\\nFROM a`\nb\n');
  assert.equal(syntax.escape, '`');
  assert.equal(syntax.check, 'skip=all');
  assert.deepEqual(syntax.instructions[0]?.words, ['ab']);
  assert.deepEqual(syntax.instructions[0].comments, ['other=x', 'escape=\\']);
});

test('parseSyntax() reads flags apart, with quotes and escapes', () => {
  const [node] = parseSyntax(`COPY --a=b  --c="d e" --f=\\"g -- --h i\n`).instructions;
  assert.deepEqual(node?.flags, ['--a=b', '--c=d e', '--f="g']);
  assert.deepEqual(node.words, ['--h', 'i']);
});

test('parseSyntax() refuses lines without an end', () => {
  assert.throws(() => parseSyntax(`FROM ${'a'.repeat(70_000)}`), /max allowed size of 65535/);
});

test('findSyntax() finds the frontend in every form', () => {
  assert.deepEqual(findSyntax('# syntax = docker/dockerfile:1 x\nFROM a'), {
    image: 'docker/dockerfile:1',
    line: 1,
  });
  assert.deepEqual(findSyntax('#!/usr/bin/x\n// escape=`\n// syntax=a\n'), { image: 'a', line: 3 });
  assert.equal(findSyntax('{"syntax": "b"}')?.image, 'b');
  assert.equal(findSyntax('FROM a\n# syntax=b\n'), undefined);
  const builtIn = ['docker/dockerfile', 'docker/dockerfile:1.7-labs', 'docker.io/docker/dockerfile@sha256:x'];
  assert(builtIn.every(isBuiltInSyntax));
  assert(isBuiltInSyntax('docker/dockerfile-upstream:master'));
  assert(!['docker/dockerfilex', 'a/docker/dockerfile'].some(isBuiltInSyntax));
});

test('sourceExcerpt() marks the lines and shows some around', () => {
  const text = 'FROM scratch\nRUNN x\n';
  const location = { firstLine: 2, firstColumn: 0, lastLine: 2, lastColumn: 6 };
  const rule = '--------------------';
  const shown = ['   1 |     FROM scratch', '   2 | >>> RUNN x', '   3 |     '];
  assert.equal(
    sourceExcerpt('Dockerfile', text, [location]),
    ['Dockerfile:2', rule, ...shown, rule, ''].join('\n'),
  );
  assert.equal(sourceExcerpt('Dockerfile', text, []), '');
});

const words = [
  'FROM',
  'RUN',
  'COPY',
  'ADD',
  'ENV',
  'ARG',
  'LABEL',
  'ONBUILD',
  'HEALTHCHECK',
  'SHELL',
  'CMD',
  'VOLUME',
  'EXPOSE',
  'scratch',
  'AS',
  '--mount=type=',
  'cache',
  ',target=',
  '/x',
  '--from=',
  '--chown=',
  '[',
  ']',
  '"',
  "'",
  '\\',
  '`',
  '<<EOF',
  '<<-',
  'EOF',
  '\n',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '#',
  '# escape=',
  '# check=',
  '=',
  '$',
  '${',
  '}',
  ':-',
  'é',
  '\0',
];

test('parseSyntax() and readDockerfile() answer or refuse whatever they are given', () => {
  const file = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => parts.join('')),
    fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => `FROM scratch\n${parts.join(' ')}`),
    fc.string({ unit: 'binary', maxLength: 200 }),
  );
  fc.assert(
    fc.property(file, (text) => {
      try {
        readDockerfile(parseSyntax(text), new Checks());
      } catch (error) {
        assert(error instanceof DockerfileError, String(error));
      }
    }),
    { numRuns: Number(process.env['WHARF_FUZZ_RUNS'] ?? 3000) },
  );
});
