#!/bin/bash
# Replaces the collections of the server's databases by those of a dump: FOLDER NAME.
set -euo pipefail
umask 077
dump=$1/$2
config=$(mktemp)
trap 'rm -f "$config"' EXIT

restore() {
  # In a file, as all processes see the command line; it tells the whole URL when it fails.
  printf 'uri: "%s"\n' "$2" >"$config"
  mongorestore --config="$config" --drop --gzip --archive="$dump/$1.archive.gz" 2>&1 |
    sed --unbuffered 's#//[^/@]*@#//***@#g'
}

if ! gzip --test "$dump/backend.archive.gz" "$dump/auth.archive.gz"; then
  echo "there is no whole dump $2; the dumps are:" $(ls "$1") >&2
  exit 1
fi
restore backend "$BACKEND_URL"
restore auth "$AUTH_URL"
echo "restored dump $2"
