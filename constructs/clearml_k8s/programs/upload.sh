#!/bin/sh
# Copies a folder into a bucket, and removes the oldest copies: SOURCE TARGET RETENTION.
# SOURCE may be a pattern. A copy is complete once an object NAME.complete stands beside it; what
# has not changed since the copy before is copied inside the bucket.
set -eu
source=$(echo $1) target=$2 retention=$3
name=$(date -u +%Y%m%d-%H%M%S)

list() {
  found=$(rclone lsf "$target" "$@") || [ $? = 3 ] # 3: there is nothing yet
  echo "$found" | sort
}

marks=$(list --files-only --include '/*.complete')
complete=$(echo "$marks" | sed 's/\.complete$//')
previous=$(echo "$complete" | tail -n 1)
rclone sync "$source" "$target/$name" --links --exclude '/lost+found/**' \
  ${previous:+--copy-dest "$target/$previous"}
echo "$name" | rclone rcat "$target/$name.complete"
echo "copy $name is complete"
kept=$(printf '%s\n' $complete "$name" | tail -n "$retention")
for old in $complete; do
  echo "$kept" | grep -qx "$old" || rclone deletefile "$target/$old.complete"
done
folders=$(list --dirs-only)
for folder in $(echo "$folders" | tr -d /); do
  if ! echo "$kept" | grep -qx "$folder"; then
    rclone purge "$target/$folder"
    echo "removed copy $folder"
  fi
done
