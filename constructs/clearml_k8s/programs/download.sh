#!/bin/sh
# Copies a complete copy from a bucket into a folder, where other files stay: SOURCE NAME TARGET.
set -eu
source=$1 name=$2 target=$3

marks=$(rclone lsf "$source" --files-only --include '/*.complete')
complete=$(echo "$marks" | sed 's/\.complete$//')
if ! echo "$complete" | grep -qx "$name"; then
  echo "there is no complete copy $name, but:" $complete >&2
  exit 1
fi
rclone copy "$source/$name" "$target" --links
echo "copied $name"
