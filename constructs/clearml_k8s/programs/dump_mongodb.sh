#!/bin/bash
# Dumps the server's databases into a folder, and removes the oldest dumps: FOLDER RETENTION.
# A dump is a folder with an archive of each database; it has its name only once it is complete.
set -euo pipefail
umask 077
folder=$1 retention=$2
name=$(date -u +%Y%m%d-%H%M%S)
incomplete=$folder/.$name.incomplete
config=$(mktemp --tmpdir)
trap 'rm -f "$config"' EXIT

dump() {
  # In a file, as all processes see the command line; it tells the whole URL when it fails.
  printf 'uri: "%s"\n' "$2" >"$config"
  mongodump --config="$config" --gzip --archive="$incomplete/$1.archive.gz" 2>&1 |
    sed --unbuffered 's#//[^/@]*@#//***@#g'
  gzip --test "$incomplete/$1.archive.gz"
}

mkdir -p "$folder"
rm -rf "$folder"/.*.incomplete
mkdir "$incomplete"
dump backend "$BACKEND_URL"
dump auth "$AUTH_URL"
sync
mv "$incomplete" "$folder/$name"
echo "dump $name is complete"
for old in $(ls "$folder" | head -n "-$retention"); do
  mv "$folder/$old" "$folder/.$old.incomplete"
  rm -rf "$folder/.$old.incomplete"
  echo "removed dump $old"
done
