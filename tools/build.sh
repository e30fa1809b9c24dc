#!/bin/sh
# Sources → dist: the compiled CLI, and the daemon, the supervisor and their workers as bundles for Node 26.
# Does nothing when dist/stamp is newer than every source; `build.sh --force` builds anyway.
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist
if [ "${1:-}" != --force ] && [ -f dist/stamp ] &&
  [ -z "$(find src package-lock.json tools/build.sh tools/packages.txt -newer dist/stamp ! -name '*.test.ts' -print -quit)" ]; then
  exit 0
fi
echo 'wharf: building'
next=$(mktemp -d dist/next.XXXXXX)
trap 'rm -rf "$next"' EXIT
: >"$next/stamp" # before the sources are read: what changes meanwhile is newer
bun=$(ls node_modules/@oven/bun-linux-*/bin/bun 2>/dev/null | head -n 1)
[ -n "$bun" ] || { echo 'wharf: no compiler; run tools/setup.sh modules' >&2; exit 1; }

# quiet NAME COMMAND...: the command's output is shown only when it fails.
quiet() {
  log=$next/$1.log; shift
  "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

# The CLI needs neither the foreign-function library nor Node.
quiet cli "$bun" build --compile --minify --bytecode --external koffi --outfile "$next/wharf" src/bin/wharf.ts &
cli=$!
set --
for entry in src/bin/*.ts; do
  case $entry in src/bin/wharf.ts | *.test.ts) ;; *) set -- "$@" "$entry" ;; esac
done
# Workers lie flat beside the program that starts them: dist/<name>-worker.js.
workers=$(find src -name '*-worker.ts')
# shellcheck disable=SC2086 # paths without blanks
quiet bundles "$bun" build --target=node --minify-syntax --minify-whitespace --external koffi \
  --entry-naming '[name].[ext]' --outdir "$next/js" "$@" $workers
wait "$cli"
mv "$next"/js/*.js dist/
mv "$next/wharf" dist/wharf
mv "$next/stamp" dist/stamp
