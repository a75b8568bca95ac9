#!/bin/bash
# Dumps the server's databases into a folder, an archive of each: FOLDER.
# Not compressed, and one collection after the other: restic keeps what has not changed only once.
set -euo pipefail
umask 077
folder=$1
config=$(mktemp --tmpdir)
trap 'rm -f "$config"' EXIT

dump() {
  # In a file, as all processes see the command line; it tells the whole URL when it fails.
  printf 'uri: "%s"\n' "$2" >"$config"
  mongodump --config="$config" --numParallelCollections=1 --archive="$folder/$1.archive" 2>&1 |
    sed --unbuffered 's#//[^/@]*@#//***@#g'
}

mkdir -p "$folder"
dump backend "$BACKEND_URL"
dump auth "$AUTH_URL"
