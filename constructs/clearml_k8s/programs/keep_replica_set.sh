#!/bin/sh
# Keeps a replica set of MongoDB as it is wanted: in the first pod, again and again.
# A set that answers is adjusted by the commands ADJUST, at REPLICA_SET_URL; where none answers, one
# is initiated by INITIATE: the other members may have been late, or the pod was restarted.
# MongoDB's shell takes a second of CPU, so a set as it is wanted is looked at every ten minutes:
# other members are wanted only by another pod. It writes logs into HOME.
run() { "$(command -v mongosh || command -v mongo)" --quiet "$@"; }

while [ "${HOSTNAME##*-}" != 0 ]; do sleep infinity; done
while true; do
  pause=30
  if said=$(run "$REPLICA_SET_URL" --eval "$ADJUST"); then
    case $said in *"as wanted"*) pause=600 ;; esac
    echo "$said"
  else
    echo "$said"
    run admin --eval "var password = '$PASSWORD'; $INITIATE"
  fi
  rm -rf "$HOME/.mongodb"
  sleep "$pause"
done
