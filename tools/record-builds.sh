#!/bin/sh
# Asks the reference engine's builder about the Dockerfiles of test/builds and writes what it says as golden files.
#
#   record-builds.sh [NAME...]   only builds whose names begin so; without names also the checks
#
# The reference engine is one of its own; WHARF_REFERENCE_STATE names a running one to use instead.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh packages test-packages modules >&2
PATH=$PWD/node_modules/.bin:$PATH
export PATH
if [ -z "${WHARF_REFERENCE_STATE:-}" ]; then
  WHARF_REFERENCE_STATE=$(mktemp -d)
  WHARF_REFERENCE_NAMESPACE=wharf-builds-$$
  export WHARF_REFERENCE_STATE WHARF_REFERENCE_NAMESPACE
  trap 'sh tools/reference-engine.sh stop' EXIT
  trap 'exit 1' INT TERM
fi
eval "$(sh tools/reference-engine.sh start)"
node test/builds/record-builds.ts "$@"
[ $# -gt 0 ] || { node test/builds/record-checks.ts && node test/builds/record-calls.ts && node test/bake/record-bake.ts; }
