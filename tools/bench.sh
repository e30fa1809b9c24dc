#!/bin/sh
# Times everyday jobs side by side with the reference engine, in one run; prints medians and ratios.
#   bench.sh [JOB...]    default: all
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh packages test-packages modules build >&2
PATH=$PWD/node_modules/.bin:$PATH
export PATH
exec node bench/main.ts "$@"
