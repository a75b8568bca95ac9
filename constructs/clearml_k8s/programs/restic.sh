#!/bin/sh
# Makes backups in a restic repository, and reads them:
#
#   backup FOLDER RETENTION PERCENT   back up, verify, then forget all but the newest RETENTION
#   fetch BACKUP FOLDER FILE...       write files of a backup into a folder
#   lend BACKUP FOLDER                copy restic itself and the id of a backup into a folder
#
# BACKUP is an id, its beginning, or `latest`. RESTIC_REPOSITORY is a folder or a URL, BACKUP_HOST the
# installation and BACKUP_TAG the kind of its backups, RESTIC_FLAGS are of each call. A snapshot has
# the tag once it is verified, until then INCOMPLETE; nothing but snapshots of this host and these
# tags is ever forgotten.
set -eu
INCOMPLETE=incomplete
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
ATTEMPTS=40
log=$(mktemp -p "${TMPDIR:-/tmp}")

say() {
  echo "$@" >&2
}

call() {
  restic ${RESTIC_FLAGS:-} "$@"
}

# Waits for other runs. One that was killed leaves a lock, which is stale after 30 minutes.
locked() {
  status=0
  call "$@" || status=$?
  attempt=0
  while [ "$status" = 11 ] && [ "$attempt" -lt "$ATTEMPTS" ]; do
    attempt=$((attempt + 1))
    call unlock
    status=0
    call --retry-lock 1m "$@" || status=$?
  done
  return "$status"
}

# On a volume: the user may be another one next time, and have no rights but those of everybody.
share() {
  ours="-user $(id -u) -exec chmod a+rwX {} +"
  find "$1" -maxdepth 0 $ours
  cd "$1"
  find config data index keys locks snapshots $ours
}

clean_up() {
  rm -f "$log"
  if [ -n "$repository" ]; then
    (share "$repository") || true # another run may remove files of it
  fi
}

# A folder without repository may hold what an interrupted init has left: keys, which open nothing.
refuse_foreign_files() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  foreign=$1
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    foreign=$(
      find "$1" -mindepth 1 ! -type d ! -path "$1/keys/*"
      ls -A "$1" | grep -vxE 'data|index|keys|locks|snapshots' || true
    )
  fi
  if [ -n "$foreign" ]; then
    say "$1 is no restic repository, and not empty; nothing is written. There is:" $foreign
    exit 1
  fi
  mv "$1" "$1.unfinished-$(date +%s)"
}

# Beside its place, so that it is there whole or not at all; of two that make it one is kept.
make_on_volume() {
  if [ ! -e "$1/config" ]; then
    refuse_foreign_files "$1"
    new=$(mktemp -d "$1.XXXXXX")
    call --repo "$new" init
    (share "$new")
    mv -T "$new" "$1" || rm -r "$new"
  fi
  repository=$1
}

make_in_bucket() {
  status=0
  call --no-lock cat config >"$log" 2>&1 || status=$?
  case $status in
    0) ;;
    10) call init ;;
    *)
      cat "$log" >&2
      exit "$status"
      ;;
  esac
}

make_repository() {
  case $RESTIC_REPOSITORY in
    /*) make_on_volume "$RESTIC_REPOSITORY" ;;
    *) make_in_bucket ;;
  esac
}

# A file that is deleted while the others are read is no loss; one that cannot be read is.
only_deleted_files_are_missing() {
  grep -q '^error: ' "$log" && ! grep '^error: ' "$log" | grep -qv ': no such file or directory$'
}

backup() {
  folder=$1 retention=$2 percent=$3
  cd "$folder"
  make_repository
  if [ -z "$(ls -A . | grep -vx lost+found)" ]; then
    echo "there is nothing to back up"
    return # restic makes no empty backups; those that there are stay
  fi
  status=0
  locked backup --host "$BACKUP_HOST" --tag "$INCOMPLETE" --exclude "$PWD/lost+found" . \
    >"$log" 2>&1 || status=$?
  cat "$log"
  if [ "$status" = 3 ] && only_deleted_files_are_missing; then
    status=0
  fi
  if [ "$status" != 0 ]; then
    say "there is no new backup"
    exit "$status"
  fi
  id=$(sed -n 's/^snapshot \([0-9a-f]*\) saved$/\1/p' "$log")
  case $percent in
    0) locked check ;;
    *) locked check --read-data-subset "$percent%" ;;
  esac
  locked tag --set "$BACKUP_TAG" "$id"
  locked forget --host "$BACKUP_HOST" --tag "$INCOMPLETE" --group-by '' --unsafe-allow-remove-all
  locked forget --host "$BACKUP_HOST" --tag "$BACKUP_TAG" --group-by '' --keep-last "$retention" --prune
}

# Prints the ids of complete backups, the oldest first; arguments are filters.
complete() {
  call --no-lock snapshots --json --tag "$BACKUP_TAG" "$@" >"$log"
  tr , '\n' <"$log" | sed -n 's/^"id":"\([0-9a-f]*\)".*/\1/p'
}

find_backup() {
  case $1 in
    latest) found=$(complete --host "$BACKUP_HOST" | tail -n 1) ;;
    *) found=$(complete | grep "^$1" || true) ;;
  esac
  case $found in
    '' | *[!0-9a-f]*)
      say "there is no backup $1 of $BACKUP_HOST, or more than one. There are:"
      call --no-lock snapshots --tag "$BACKUP_TAG" >&2
      exit 1
      ;;
  esac
  echo "$found"
}

fetch() {
  id=$(find_backup "$1") folder=$2
  shift 2
  mkdir -p "$folder"
  for file; do
    call --no-lock dump "$id" "/$file" >"$folder/$file"
  done
  echo "fetched backup $id"
}

lend() {
  mkdir -p "$2"
  find_backup "$1" >"$2/backup"
  cp "$(command -v restic)" "$2/restic"
  if [ -e "$CERTIFICATES" ]; then
    cp "$CERTIFICATES" "$2"
  fi
}

repository= # on a volume, once there is one
trap clean_up EXIT
"$@"
