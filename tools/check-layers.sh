#!/bin/sh
# The layer rules, and the proof that the gate works: a planted violation must be refused.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
report=$(depcruise --output-type err-long src) || { echo "$report" >&2; exit 1; }
echo "$report"
modules=$(echo "$report" | sed -n 's/.*(\([0-9]*\) modules.*/\1/p')
[ "${modules:-0}" -gt 20 ] || { echo 'layers: the tool saw no modules' >&2; exit 1; }
planted=src/kernel/planted-violation.ts
trap 'rm -f "$planted"' EXIT
echo "export type { ContentStore } from '#content';" >"$planted"
if depcruise "$planted" >/dev/null 2>&1; then
  echo 'layers: a planted violation was not found' >&2
  exit 1
fi
