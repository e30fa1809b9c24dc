import { rows, withLayer } from '../build-case.ts';
import type { BuildCase } from '../build-case.ts';

type Rest = Partial<BuildCase>;
const one = (name: string, lines: readonly string[], rest: Rest = {}): BuildCase => ({
  name: `variables/${name}`,
  dockerfile: rows(...withLayer(lines)),
  ...rest,
});

/** ARG, ENV and the forms of their expansion. */
export const variables: readonly BuildCase[] = [
  one('defaults', [
    'FROM scratch',
    'ENV s=set e=',
    'ENV a=${s:-x} b=${e:-x} c=${u:-x} d=${e-x} f=${u-x} g=${u:-$s}',
  ]),
  one('alternatives', [
    'FROM scratch',
    'ENV s=set e=',
    'ENV a=${s:+x} b=${e:+x} c=${u:+x} d=${e+x} f=${u+x}',
  ]),
  one('required', ['FROM scratch', 'ENV s=set e=', 'ENV a=${s:?no} b=${e?no}']),
  one('required-missing', ['FROM scratch', 'ENV a=${u:?must be given}'], { fails: true }),
  one('trims', [
    'FROM scratch',
    'ENV f=/a/b.c/d.tar.gz',
    'ENV a=${f#*/} b=${f##*/} c=${f%.*} d=${f%%.*} e=${f#/?} g=${f%x}',
  ]),
  one('trim-escapes', ['FROM scratch', 'ENV f="a*b?c"', 'ENV a=${f#a\\*} b=${f%\\?c} c=${f##*b}']),
  one('replacements', [
    'FROM scratch',
    'ENV f=aXbXc',
    'ENV a=${f/X/-} b=${f//X/--} c=${f/X*/} d=${f//?/.} e=${f/\\//y}',
  ]),
  one('replace-slashes', ['FROM scratch', 'ENV f=a/b/c', 'ENV a=${f//\\//_} b=${f/\\/b/-}']),
  one('escapes', [
    'FROM scratch',
    'ENV v=1',
    'ENV a=\\$v b="\\$v" c=\'\\$v\' d=\\\\$v e="\\\\" f=\\a g="\\a"',
  ]),
  one('names', [
    'FROM scratch',
    'ENV v=1 v2=2 v_3=3',
    'ENV a=$v2x b=$v.$v c=$v-2 d=${v}2 e=$v_3 f=$1a g=$$ h=$ i=$-',
  ]),
  one('nested', ['FROM scratch', 'ENV a=1', 'ENV b=${x:-${y:-${a}}} c="${x:-q r}"']),
  one('global-arg-in-from', ['ARG base=scratch', 'FROM $base', 'WORKDIR /layer', 'ENV a=x$base']),
  one('global-arg-redeclared', ['ARG v=1', 'FROM scratch', 'ARG v', 'ENV a=$v']),
  one('global-arg-overridden-in-stage', ['ARG v=1', 'FROM scratch', 'ARG v=2', 'ENV a=$v']),
  one('build-arg', ['ARG v=1', 'FROM scratch', 'ARG v=2', 'ENV a=$v'], { arguments: { v: 'given' } }),
  one('build-arg-for-from', ['ARG base=nothing', 'FROM ${base}', 'LABEL a=b'], {
    arguments: { base: 'busybox' },
  }),
  one('global-arg-of-arg', ['ARG a=busy', 'ARG b=${a}box', 'FROM $b', 'ARG b', 'ENV c=$b']),
  one('arg-from-env', ['FROM scratch', 'ENV e=1', 'ARG a=${e}2', 'ENV b=$a']),
  one('arg-is-not-kept', ['FROM busybox', 'ARG a=1', 'RUN echo $a >/a', 'RUN env | grep -c ^a= >/count']),
  one('arg-in-run-history', ['FROM busybox', 'ARG a=1', 'ARG b', 'ARG c="x y"', 'RUN echo $a$b$c >/out']),
  one('arg-twice', ['FROM busybox', 'ARG a=1', 'RUN echo $a >/1', 'ARG a=2', 'RUN echo $a >/2']),
  one('env-after-arg', ['FROM busybox', 'ARG a=arg', 'ENV a=env', 'RUN echo $a >/out'], {
    arguments: { a: 'given' },
  }),
  one('arg-after-env', ['FROM busybox', 'ENV a=env', 'ARG a=arg', 'RUN echo $a >/out', 'LABEL l=$a'], {
    arguments: { a: 'given' },
  }),
  one('arg-after-env-of-base', [
    'FROM busybox AS base',
    'ENV a=env',
    'FROM base',
    'ARG a=arg',
    'RUN echo $a >/out',
  ]),
  one('arg-in-derived-stage', [
    'FROM busybox AS base',
    'ARG a=1',
    'FROM base',
    'RUN echo $a >/out',
    'ENV b=$a',
  ]),
  one('several-per-line', ['FROM scratch', 'ARG a=1 b=2 c', 'ENV x=$a$b$c']),
  one('same-line-arg-sees-earlier', ['FROM scratch', 'ARG a=1 b=${a}2', 'ENV x=$b']),
  one('proxy', ['FROM busybox', 'RUN env | grep -i proxy >/out; true'], {
    arguments: { HTTP_PROXY: 'http://p:1', no_proxy: 'x' },
  }),
  one('proxy-declared', ['FROM busybox', 'ARG HTTP_PROXY', 'RUN env | grep -i http_proxy >/out; true'], {
    arguments: { HTTP_PROXY: 'http://p:1' },
  }),
  one('platform-arguments', [
    'FROM scratch',
    'ARG TARGETPLATFORM TARGETOS TARGETARCH TARGETVARIANT BUILDPLATFORM BUILDOS BUILDARCH BUILDVARIANT TARGETSTAGE',
    'ENV a=$TARGETPLATFORM b=$TARGETOS/$TARGETARCH/$TARGETVARIANT c=$BUILDPLATFORM d=$BUILDOS/$BUILDARCH s=$TARGETSTAGE',
  ]),
  one('platform-argument-with-default', ['FROM scratch', 'ARG TARGETARCH=mine', 'ENV a=$TARGETARCH']),
  one(
    'target-stage',
    ['FROM scratch AS one', 'WORKDIR /layer', 'ARG TARGETSTAGE', 'ENV a=$TARGETSTAGE', 'FROM one AS two'],
    { target: 'one' },
  ),
  one('unset-in-path', ['FROM busybox', 'COPY a$x /b$y'], { files: { a: '1' } }),
  one(
    'in-copy',
    ['FROM busybox', 'ARG f=a', 'ENV d=/dir o=12:34', 'COPY --chown=$o --chmod=6${x:-40} $f ${d}/$f'],
    { files: { a: '1' } },
  ),
  one('in-heredoc', [
    'FROM busybox',
    'ENV v=1',
    'COPY <<EOF /a',
    'v=$v ${v} \\$v "$v" \'$v\' ${u:-d}',
    'EOF',
    'COPY <<"EOF" /b',
    '$v',
    'EOF',
  ]),
  one(
    'in-mounts',
    ['FROM busybox', 'ARG t=/mnt s=sub', 'RUN --mount=type=bind,source=$s,target=${t} cat /mnt/f >/out'],
    { files: { 'sub/f': '1' } },
  ),
  one('not-in-run', [
    'FROM busybox',
    'ENV v=1',
    'RUN v=2; echo $v \\$v >/out',
    'CMD ["$v"]',
    'ENTRYPOINT ["${v}"]',
  ]),
  one('secret-name-in-arg', ['FROM scratch', 'ARG API_TOKEN=x', 'ENV PASSWORD=y']),
  one('from-with-tag', ['ARG tag=latest', 'FROM busybox:${tag}', 'LABEL a=$tag']),
  one('escape-backtick', [
    '# escape=`',
    'FROM scratch',
    'ENV v=1',
    'ENV a=`$v b="c`"d" e=\\$v f=x`',
    '  g=2',
  ]),
];
