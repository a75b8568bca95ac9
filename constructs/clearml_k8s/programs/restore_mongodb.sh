#!/bin/bash
# Replaces the collections of the server's databases by those of a dump, which is a FOLDER.
set -euo pipefail
umask 077
dump=$1
config=$(mktemp --tmpdir)
trap 'rm -f "$config"' EXIT

restore() {
  # In a file, as all processes see the command line; it tells the whole URL when it fails.
  printf 'uri: "%s"\n' "$2" >"$config"
  mongorestore --config="$config" --drop --archive="$dump/$1.archive" 2>&1 |
    sed --unbuffered 's#//[^/@]*@#//***@#g'
}

for database in backend auth; do
  if ! test -s "$dump/$database.archive"; then
    echo "there is no dump of $database in $dump" >&2
    exit 1
  fi
done
restore backend "$BACKEND_URL"
restore auth "$AUTH_URL"
echo "restored the dump"
