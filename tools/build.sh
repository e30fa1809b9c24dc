#!/bin/sh
# Sources → dist: the compiled CLI, and the daemon, the supervisor and their workers as bundles for Node 26.
# Does nothing when dist/stamp is newer than every source; `build.sh --force` builds anyway, `build.sh cli` and
# `build.sh bundles` one half.
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist
if [ $# = 0 ] && [ -f dist/stamp ] &&
  [ -z "$(find src package-lock.json tools/build.sh tools/packages.txt -newer dist/stamp ! -name '*.test.ts' -print -quit)" ]; then
  exit 0
fi
echo 'wharf: building'
next=$(mktemp -d dist/next.XXXXXX)
trap 'wait; rm -rf "$next"' EXIT
: >"$next/stamp" # before the sources are read: what changes meanwhile is newer
bun=$(ls node_modules/@oven/bun-linux-*/bin/bun 2>/dev/null | head -n 1)
[ -n "$bun" ] || { echo 'wharf: no compiler; run tools/setup.sh modules' >&2; exit 1; }

# quiet NAME COMMAND...: the command's output is shown only when it fails.
quiet() {
  log=$next/$1.log; shift
  "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

# The CLI needs neither the foreign-function library nor Node.
cli() {
  [ -e src/bin/wharf.ts ] || return 0
  quiet cli "$bun" build --compile --minify --bytecode --external koffi --outfile "$next/wharf" src/bin/wharf.ts
  mv "$next/wharf" dist/wharf
}

# Every other program, and the workers: these lie flat beside the program that starts them.
bundles() {
  # shellcheck disable=SC2046 # paths without blanks
  set -- $(find src -path 'src/bin/*.ts' ! -name wharf.ts ! -name '*.test.ts' -o -name '*-worker.ts')
  [ $# -gt 0 ] || return 0
  quiet bundles "$bun" build --target=node --minify-syntax --minify-whitespace --external koffi \
    --entry-naming '[name].[ext]' --outdir "$next/js" "$@"
  mv "$next"/js/*.js dist/
}

case ${1:-} in cli | bundles) "$1"; exit ;; esac
cli &
compiling=$!
bundles
wait "$compiling"
mv "$next/stamp" dist/stamp
