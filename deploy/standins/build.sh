#!/usr/bin/env bash
# build.sh [base image]   builds a stand-in for each server image that docker-compose.yml names, from the cache of `npm run setup`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${AEGIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aegis}/servers
engine=${ENGINE:-docker}
node -e 'for (const [name, s] of Object.entries(require(process.argv[1]))) console.log(name, s.folder, s.image)' "$here/../servers.json" |
  while read -r name folder image; do
    work=$(mktemp -d)
    cp -r "$cache/$folder" "$here/start.sh" "$work/"
    "$engine" build -q -f "$here/Dockerfile" --build-arg BASE="${1:-debian:bookworm-slim}" --build-arg SERVER="$name" --build-arg FOLDER="$folder" -t "$image" "$work"
    rm -rf "$work"
    echo "$image"
  done
