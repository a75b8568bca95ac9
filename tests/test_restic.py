"""Backups with restic and their restores: the pods of the manifests, run beside files of others."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from rendering import Bundle, Object
from running import Machine, Result, contents, machine
from test_backup import BACKUPS, STOPPED, made, pod_of

FILES, BACKED_UP = "clearml-fileserver-data", "clearml-backup-fileserver-data"
DUMPED = "clearml-backup-mongodb-data"
NO_PASSWORD = ["--insecure-no-password"]


@pytest.fixture
def node() -> Iterator[Machine]:
    with machine() as made_here:
        yield made_here


@dataclass
class Installation:
    """An installation with values of its own, whose pods run on a machine."""

    node: Machine
    values: Object = field(default_factory=dict)
    fs_group: bool = True

    def made(self, *values: Object) -> Bundle:
        return made(BACKUPS, self.values, *values)

    def run(self, pod: Object) -> Result:
        return self.node.run(pod, fs_group=self.fs_group)

    def backup(self, thing: str = "fileserver", **settings: object) -> Result:
        bundle = self.made({"backup": {thing: settings}})
        return self.run(pod_of(bundle, f"clearml-backup-{thing}"))

    def restore(self, backup: str = "latest", thing: str = "fileserver") -> Result:
        bundle = self.made(STOPPED, {"restore": {thing: {"backup": backup}}})
        return self.run(pod_of(bundle, f"clearml-restore-{thing}"))

    def serve(self, script: str) -> Result:
        """What the file server does, as its pod says: lines of shell in the folder of its files."""
        pod = copy.deepcopy(self.made().pod("clearml-fileserver"))
        (server,) = pod["containers"]
        server["command"] = ["sh", "-c", 'cd "$1"\n' + script, "sh"]
        server["args"] = ["/mnt/fileserver"]
        server["env"] = []
        pod["initContainers"] = []
        return self.run(pod)

    def snapshots(self, volume: str = BACKED_UP, *filters: str) -> list[Object]:
        """What restic itself says that there is in the repository on a volume."""
        (repository,) = self.node.volume(volume).glob("restic-*[a-z]")
        restic = [self.node.folder / "bin/restic", "--repo", repository, *NO_PASSWORD]
        command = [*restic, "--no-lock", "--no-cache", "snapshots", "--json", *filters]
        done = subprocess.run(command, capture_output=True, check=True)
        found: list[Object] = json.loads(done.stdout)
        return found


# A file server's folders: names beyond ASCII and beyond 100 bytes, a link, nothing.
LONG = "a-folder-of-an-experiment-with-a-long-name" * 3
UPLOAD = f"""\
mkdir -p 'project/Läuse 日本' '{LONG}/{LONG}' empty
printf weights > 'project/Läuse 日本/model'
printf plot > '{LONG}/{LONG}/{LONG}.png'
ln -s 'Läuse 日本/model' project/link
printf done > .examples-unpacked
"""
# All that the file server does with what it has.
GO_ON = """\
set -e
for folder in . project 'project/Läuse 日本' empty; do
  printf new > "$folder/new"
  printf newer > "$folder/new"
  rm "$folder/new"
done
printf again > 'project/Läuse 日本/model'
rm -r project/link empty
"""
USER = {"runAsUser": 10001, "runAsGroup": 10001}
AS_ROOT: Object = {}
AS_USER: Object = {"fileserver": {"podSecurityContext": USER}}
IN_GROUP: Object = {"fileserver": {"podSecurityContext": USER | {"fsGroup": 10001}}}


def good(result: Result) -> None:
    assert result.succeeded, result.log


def test_files_come_back_and_the_file_server_goes_on(node: Machine) -> None:
    here = Installation(node)
    good(here.serve(UPLOAD))
    before = contents(node.volume(FILES))
    good(here.backup())
    good(here.serve(f"{GO_ON} printf stays > later"))
    good(here.restore())
    assert contents(node.volume(FILES)) == before | {"later": b"stays"}
    good(here.serve(GO_ON))
