#!/bin/sh
# What every commit passes: types, format, lint, layers, dead code.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh modules >&2
PATH=$PWD/node_modules/.bin:$PATH
export PATH
echo 'types' && tsc
echo 'format' && prettier --log-level warn --check .
echo 'lint' && eslint --cache --cache-location node_modules/.cache/eslint .
echo 'protocol definitions' && sh tools/protos.sh check
echo 'layers' && sh tools/check-layers.sh
echo 'dead code' && knip
echo 'check passed'
