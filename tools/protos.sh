#!/bin/sh
# Writes src/buildkit/generated from the .proto files beside it, with a generator that only this step needs.
#
#   protos.sh           generate
#   protos.sh check     fails when the .proto files have changed since
set -eu
cd "$(dirname "$0")/../src/buildkit"
sum() { cat proto/*.proto | sha256sum | cut -d' ' -f1; }
case ${1:-generate} in
  check)
    [ "$(sum)" = "$(cat generated/proto.sha256)" ] || { echo 'run sh tools/protos.sh: the .proto files have changed' >&2; exit 1; } ;;
  generate)
    tools=$(mktemp -d)
    trap 'rm -rf "$tools"' EXIT
    npm install --silent --prefix "$tools" @bufbuild/buf@1.75.0 @bufbuild/protoc-gen-es@2.17.0
    rm -rf generated && mkdir generated
    settings="{version: v2, plugins: [{local: protoc-gen-es, out: generated, opt: [target=js+dts, import_extension=js]}]}"
    PATH=$tools/node_modules/.bin:$PATH buf generate proto --template "$settings"
    # The linter leaves this folder alone by its own settings.
    sed -i '/eslint-disable/d' generated/*_pb.*
    sum >generated/proto.sha256 ;;
  *) echo "no such step: $1" >&2; exit 1 ;;
esac
