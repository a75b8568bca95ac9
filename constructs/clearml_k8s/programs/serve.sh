#!/bin/bash
# Runs a server until it ends, and ends with its status: SIGNAL COMMAND [ARGUMENT]...
# On SIGTERM all processes of the server get the signal: its own parent may be a shell that knows
# nothing of it. The last of them may still be at work when that shell has ended.
signal=$1
shift
ending=
trap 'ending=yes; kill -s "$signal" -- "-$server" 2>/dev/null || exit 143' TERM
set -m # for a process group of their own
"$@" &
server=$!
set +m
wait "$server"
status=$?
if [ -n "$ending" ]; then
  while kill -s 0 -- "-$server" 2>/dev/null; do sleep 0.1; done
  wait "$server"
  status=$?
fi
exit "$status"
