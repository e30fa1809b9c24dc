#!/bin/sh
# What every commit passes: format, lint, types, layers, dead code.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
export PATH
echo 'types' && tsc
echo 'format' && prettier --log-level warn --check .
echo 'lint' && eslint --cache --cache-location node_modules/.cache/eslint .
echo 'layers' && sh tools/check-layers.sh
echo 'dead code' && knip
echo 'check passed'
