#!/bin/sh
# Plays the scenarios of test/parity live against the reference engine and a daemon of ours; prints where they differ.
# Without operations it then builds every Dockerfile of test/builds in every way, and compares with the recorded images.
#
#   parity.sh [--record] [--version V[,V]] [OPERATION...]
#
# --record writes what the reference answers as golden files. The reference engine is one of its own, so that
# nothing else is in its lists; WHARF_REFERENCE_STATE names a running one to use instead.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh packages test-packages modules build >&2
PATH=$PWD/node_modules/.bin:$PATH
export PATH
if [ -z "${WHARF_REFERENCE_STATE:-}" ]; then
  WHARF_REFERENCE_STATE=$(mktemp -d)
  WHARF_REFERENCE_NAMESPACE=wharf-parity-$$
  export WHARF_REFERENCE_STATE WHARF_REFERENCE_NAMESPACE
  trap 'sh tools/reference-engine.sh stop' EXIT
  trap 'exit 1' INT TERM
fi
sh tools/reference-engine.sh start >/dev/null
PARITY_NAMESPACE=${WHARF_REFERENCE_NAMESPACE:-wharf-reference} \
  PARITY_REFERENCE=$WHARF_REFERENCE_STATE/docker.sock node test/parity/live.ts "$@"
[ $# -gt 0 ] || WHARF_BUILD_CASES=1 node --test test/scenarios/build-corpus.test.ts
