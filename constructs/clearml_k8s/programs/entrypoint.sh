#!/bin/bash
# Starts a server as the entrypoint of its image does: [ARGUMENT]...
# Through the shell: images of the public Dockerfile let root alone run the file. Its name there is
# the first; images of the registry have had the second.
for entrypoint in /opt/clearml/entrypoint.sh /opt/clearml/wrapper.sh; do
  if [ -e "$entrypoint" ]; then exec bash "$entrypoint" "$@"; fi
done
echo "no image of a ClearML server: /opt/clearml has neither entrypoint.sh nor wrapper.sh" >&2
exit 127
