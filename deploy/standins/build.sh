#!/usr/bin/env bash
# build.sh [base image]   builds a stand-in for each public image that docker-compose.yml and deploy/Dockerfile name, from what
# `npm run setup` fetched: the servers' jars, and Node.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${AEGIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aegis}/servers
engine=${ENGINE:-docker}
base=${1:-debian:bookworm-slim}
node -e 'for (const [name, s] of Object.entries(require(process.argv[1]))) console.log(name, s.folder, s.image)' "$here/../servers.json" |
  while read -r name folder image; do
    work=$(mktemp -d)
    cp -r "$cache/$folder" "$here/start.sh" "$here/checks" "$work/"
    "$engine" build -q -f "$here/Dockerfile" --build-arg BASE="$base" --build-arg SERVER="$name" --build-arg FOLDER="$folder" -t "$image" "$work"
    rm -rf "$work"
    echo "$image"
  done
image=$(sed -n 's/^ARG BASE=//p' "$here/../Dockerfile")
work=$(mktemp -d)
cp -L "$(PATH="$here/../../node_modules/.bin:$PATH" node -p process.execPath)" "$work/node"
cp -rL "$(dirname "$(readlink -f "$(type -P npm)")")/.." "$work/npm"
"$engine" build -q -f "$here/node.Dockerfile" --build-arg BASE="$base" -t "$image" "$work"
rm -rf "$work"
echo "$image"
