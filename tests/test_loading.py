"""From files to values: which files, how they merge, and what is said of unreadable YAML."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from config import Values, ValuesError, load, values_files
from config.loading import reading
from config.loading.reading import text_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _load(*contents: str | bytes) -> Values:
    """Load files called 1.yaml, 2.yaml and so on."""
    files = [Path(f"{number}.yaml") for number in range(1, len(contents) + 1)]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(files)


def _mistakes(*contents: str | bytes) -> list[str]:
    with pytest.raises(ValuesError) as caught:
        _load(*contents)
    lines = caught.value.lines
    count = [f"{len(lines)} mistakes"] if len(lines) > 1 else []
    assert str(caught.value).splitlines() == [*lines, *count]
    return caught.value.lines


# Which files


def test_files_are_joined_by_the_path_separator() -> None:
    environment = {"CLEARML_VALUES": os.pathsep.join(["a.yaml", "/b/c.yaml"])}
    assert values_files(environment) == [Path("a.yaml"), Path("/b/c.yaml")]


@pytest.mark.parametrize(
    "environment", [{}, {"CLEARML_VALUES": ""}, {"CLEARML_VALUES": os.pathsep}]
)
def test_without_a_name_the_file_of_the_project_counts(environment: dict[str, str]) -> None:
    [file] = values_files(environment)
    assert file == Path(__file__).parents[1] / "config" / "values.yaml"
    assert file.is_file()


# Merging


def test_mappings_merge_and_the_last_file_wins() -> None:
    values = _load(
        "apiserver: {image: {repository: a/one, tag: '1.0'}, replicaCount: 2}",
        "apiserver: {image: {tag: '2.0'}}\nwebserver: {replicaCount: 4}",
        "apiserver: {image: {tag: '2.2'}}",
    )
    assert values.apiserver.pulled_image(values.generation).reference("") == "a/one:2.2"
    assert values.apiserver.replica_count == 2
    assert values.webserver.replica_count == 4
    assert values.apiserver.service == Values().apiserver.service


def test_agent_groups_of_several_files_add_up() -> None:
    groups = _load("agentGroups: {a: {queues: one}}", "agentGroups: {b: {}, a: {replicaCount: 3}}")
    assert list(groups.agent_groups) == ["agent-group0", "a", "b"]
    assert groups.agent_groups["a"].queues == "one"
    assert groups.agent_groups["a"].replica_count == 3


def test_lists_replace() -> None:
    values = _load(
        "apiserver: {extraEnvs: [{name: A, value: a}, {name: B, value: b}]}",
        "apiserver: {extraEnvs: [{name: C, value: c}]}",
    )
    assert [variable.name for variable in values.apiserver.extra_envs] == ["C"]
    assert _load("elasticsearch: {extraEnvs: []}").elasticsearch.extra_envs == []


def test_fragments_merge_as_mappings_before_they_are_parsed() -> None:
    values = _load(
        "apiserver: {resources: {limits: {memory: 2Gi, cpu: 1}}}",
        "apiserver: {resources: {limits: {memory: 1Gi}, requests: {cpu: 1}}}",
    )
    resources = values.apiserver.resources
    assert resources is not None
    assert {name: size.value for name, size in (resources.limits or {}).items()} == {
        "memory": "1Gi",
        "cpu": "1",
    }
    assert list(resources.requests or {}) == ["cpu"]


@pytest.mark.parametrize(
    "reset",
    [
        "apiserver: {image: {tag: null}, replicaCount: ~}",
        "apiserver: {image: null, replicaCount: null}",
        "apiserver: null",
        "apiserver:",
    ],
)
def test_null_resets_to_the_default_not_to_the_file_before(reset: str) -> None:
    assert _load("apiserver: {image: {tag: '2'}, replicaCount: 3}", reset) == Values()


def test_a_value_after_a_reset_counts() -> None:
    values = _load("redis: {master: {port: 1}}", "redis: null", "redis: {password: test-secret}")
    assert values.redis.master.port == 6379
    assert values.redis.password is not None


def test_null_takes_an_agent_group_out_again() -> None:
    assert _load("agentGroups: {a: {}, b: {}}", "agentGroups: {a: null}").agent_groups.keys() == {
        "agent-group0",
        "b",
    }


# Where a mistake is


def test_a_mistake_is_in_the_last_file_that_gives_the_value() -> None:
    assert _mistakes(
        "apiserver: {replicaCount: -1, foo: 1}\nwebserver: {replicaCount: -1}",
        "apiserver: {replicaCount: -2}",
        "apiserver: {livenessDelay: 1}",
    ) == [
        "1.yaml:1: apiserver.foo: unknown key (given: 'foo')",
        "1.yaml:2: webserver.replicaCount: must be greater than or equal to 0 (given: -1)",
        "2.yaml:1: apiserver.replicaCount: must be greater than or equal to 0 (given: -2)",
    ]


def test_a_value_corrected_by_a_later_file_is_no_mistake() -> None:
    values = _load("apiserver: {replicaCount: -1}", "apiserver: {replicaCount: 1}")
    assert values.apiserver.replica_count == 1


def test_a_missing_value_is_missed_in_the_file_with_its_section() -> None:
    assert _mistakes("ingress: {enabled: true}", "redis: {usePassword: false}") == [
        "1.yaml:1: ingress.host: is needed by an enabled ingress (given: '')"
    ]


def test_files_that_cannot_be_read_are_all_reported() -> None:
    assert _mistakes("a: [", "apiserver: {}", "- a") == [
        "1.yaml:2:1: did not find expected node content",
        "3.yaml: must be a mapping of values (given: a list)",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# comment\n\nredis:\n  master:\n    port: 0", "1.yaml:5: redis.master.port"),
        ("redis: {master: {port: -1}}\r\n", "1.yaml:1: redis.master.port"),
        ("\ufeff---\nredis: {master: {port: 0}}", "1.yaml:2: redis.master.port"),
        ("redis:\n  master: {}\n  foo: 1", "1.yaml:3: redis.foo"),
        ("redis:\n  cluster:\n    - a", "1.yaml:2: redis.cluster"),
        (
            "apiserver:\n  extraEnvs:\n    - name: A\n    - name: A\n",
            "1.yaml:4: apiserver.extraEnvs[1].name",
        ),
        (
            "clearml:\n  fixedUsers:\n    users:\n      - username: a\n        name: A",
            "1.yaml:4: clearml.fixedUsers.users[0].password",
        ),
        ("redis:\n  usePassword: true\n  enabled: false", "1.yaml:2: redis.usePassword"),
        ("ingress:\n\n  enabled: true", "1.yaml:1: ingress.host"),
        (
            "redis:\n  master: &ports\n    port: 1\nmongodb:\n  service:\n    <<: *ports\n"
            "    port: 0\n",
            "1.yaml:7: mongodb.service.port",
        ),
        (
            "redis:\n  master: &ports\n    port: 0\nmongodb:\n  service: {<<: *ports}\n",
            "1.yaml:3: mongodb.service.port",
        ),
        ("apiserver: &a\n  foo: 1\nwebserver: *a\n", "1.yaml:2: webserver.foo"),
    ],
)
def test_a_mistake_carries_its_line(text: str, place: str) -> None:
    assert [line for line in _mistakes(text) if line.startswith(f"{place}: ")]


def test_a_name_that_is_too_long_with_that_of_a_default_is_blamed_on_what_was_written() -> None:
    [said] = _mistakes(f"release: {{name: {'a' * 28}}}")
    assert said.startswith("1.yaml:1: release.name: is too long")


# Files that cannot be read


def test_a_missing_file() -> None:
    with pytest.raises(ValuesError, match=r"^no/such\.yaml: No such file or directory$"):
        load([Path("no/such.yaml")])


def test_what_is_no_file_is_refused_unopened(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        files = [folder, Path("/dev/zero"), Path("socket")]
        with pytest.raises(ValuesError) as caught:
            load(files)
    assert caught.value.lines == [f"{f}: is neither a regular file nor a pipe" for f in files]


def _write(content: bytes, *, after: float = 0) -> None:
    """Write into the pipe `fifo`, whoever stops reading it."""
    with open("fifo", "wb", buffering=0) as pipe, contextlib.suppress(BrokenPipeError):
        time.sleep(after)
        pipe.write(content)


def test_a_pipe_is_read_once_and_known_from_then_on() -> None:
    os.mkfifo("fifo")
    with ThreadPoolExecutor() as pool:
        pool.submit(_write, b"release:\n  name: piped\n", after=0.3)
        assert load([Path("fifo")]).release.name == "piped"
    assert text_of(Path("fifo")).splitlines() == ["release:", "  name: piped"]


def test_a_mistake_in_a_pipe_has_its_line() -> None:
    os.mkfifo("fifo")
    with ThreadPoolExecutor() as pool:
        pool.submit(_write, b"\nrelease: {name: Big}\n")
        with pytest.raises(ValuesError, match=r"^fifo:2: release\.name: "):
            load([Path("fifo")])


def test_a_pipe_that_nobody_writes_to_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 0.2)
    os.mkfifo("fifo")
    # Or the test would wait without end, too.
    writer = threading.Timer(5, lambda: os.close(os.open("fifo", os.O_WRONLY)))
    writer.start()
    try:
        with pytest.raises(ValuesError, match=r"^fifo: has not ended after 0\.2 seconds$"):
            load([Path("fifo")])
    finally:
        writer.cancel()


def test_a_pipe_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PATIENCE", 0.2)
    os.mkfifo("fifo")
    with ThreadPoolExecutor() as pool:
        pool.submit(_write, b"a", after=1)
        with pytest.raises(ValuesError, match="has not ended"):
            load([Path("fifo")])


def test_a_pipe_beyond_all_measure() -> None:
    os.mkfifo("fifo")
    with ThreadPoolExecutor() as pool:
        pool.submit(_write, b"#" * (10 * 2**20 + 2))
        with pytest.raises(ValuesError, match=r"^fifo: has more than 10 MiB$"):
            load([Path("fifo")])


def test_a_file_beyond_all_measure() -> None:
    assert _mistakes(b"#" * (10 * 2**20 + 1)) == ["1.yaml: has more than 10 MiB"]
    assert _load(b"#" * 10 * 2**20) == Values()


def _chain(first: str, next_one: str, length: int) -> str:
    """Anchors a0, a1 and so on; each but the first refers to the one before."""
    lines = [f"a{i}: &a{i} " + next_one.replace("*", f"*a{i - 1}") for i in range(1, length)]
    return "\n".join([f"a0: &a0 {first}", *lines])


@pytest.mark.parametrize(
    "text",
    [
        _chain("[x]", "[*, *, *, *, *, *, *, *, *]", 20),
        _chain("{x: 1}", "{p: *, q: *, r: *}", 30),
        _chain("{x: 1}", "{<<: [*, *, *, *]}", 30),
    ],
    ids=["lists", "mappings", "merges"],
)
def test_aliases_that_multiply_are_refused_at_once(text: str) -> None:
    start = time.monotonic()
    assert _mistakes(text) == ["1.yaml:1:1: aliases in it stand for more than 100000 values"]
    assert time.monotonic() - start < 5


def test_aliases_do_not_nest_deeper_than_what_is_written() -> None:
    assert _mistakes(_chain("[x]", "[*]", 300)) == [
        "1.yaml:1:1: is nested more than 100 levels deep"
    ]


@pytest.mark.parametrize("content", [b"clearml: \xff", "apiserver: {}".encode("utf-16")])
def test_text_other_than_utf_8(content: bytes) -> None:
    assert _mistakes(content) == ["1.yaml: is not UTF-8 text"]


def test_control_characters() -> None:
    [said] = _mistakes(b"apiserver: {}\0")
    assert said == "1.yaml: unacceptable character #x0000: control characters are not allowed"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("apiserver:\n\treplicaCount: 1", "2:1: found character that cannot start any token"),
        ("apiserver:\n  image: a: b", "2:11: mapping values are not allowed in this context"),
        ("key: 'not closed", "1:17: found unexpected end of stream"),
        ("apiserver: {replicaCount: 1", "2:1: did not find expected ',' or '}'"),
        ("apiserver: *other", "1:12: found undefined alias"),
        ("redis: {}\nredis: {}", "2:1: the key 'redis' is given twice"),
        (
            "apiserver:\n  image:\n    tag: a\n    pullPolicy: Always\n    tag: b\n",
            "5:5: the key 'tag' is given twice",
        ),
        (
            "apiserver:\n  extraEnvs:\n    - {name: A, name: B}\n",
            "3:17: the key 'name' is given twice",
        ),
        ("1: a", "1:1: a key must be a string; write it in quotes"),
        (
            "apiserver:\n  nodeSelector:\n    true: a",
            "3:5: a key must be a string; write it in quotes",
        ),
        ("on: {}", "1:1: a key must be a string; write it in quotes"),
        ("null: a", "1:1: a key must be a string; write it in quotes"),
        ("? [a, b]\n: c", "1:3: a key must be a string; write it in quotes"),
        ("? {a: b}\n: c", "1:3: a key must be a string; write it in quotes"),
        ("apiserver: {<<: {1: a}}", "1:18: a key must be a string; write it in quotes"),
        (
            "apiserver: !!python/object/apply:os.abort []",
            "1:12: a tag is not allowed; write a text that begins with '!' in quotes",
        ),
        (
            "apiserver: !mine {}",
            "1:12: a tag is not allowed; write a text that begins with '!' in quotes",
        ),
        (
            "apiserver: {podAnnotations: !!set {a, b}}",
            "1:29: a tag is not allowed; write a text that begins with '!' in quotes",
        ),
        (
            "redis: {password: !!binary dGVzdA==}",
            "1:19: a tag is not allowed; write a text that begins with '!' in quotes",
        ),
        ("apiserver: {replicaCount: !!int many}", "1:27: cannot be read as int"),
        ("apiserver: {replicaCount: 0x_}", "1:27: cannot be read as int"),
        (f"apiserver: {{replicaCount: {'9' * 5000}}}", "1:27: cannot be read as int"),
        ("ingress: {enabled: !!bool perhaps}", "1:20: cannot be read as bool"),
        ("apiserver: !!map [a]", "1:12: must be a mapping"),
        ("apiserver: !!str {a: b}", "1:12: must be a string"),
        ("redis: {}\n---\napiserver: {}", "2:1: a second document starts here; write one document"),
        ("a: &a [*a]", "1:4: an alias refers to what it is part of"),
        ("a: &a {b: *a}", "1:4: an alias refers to what it is part of"),
        ("&a {apiserver: {affinity: *a}}", "1:1: an alias refers to what it is part of"),
        (
            "redis: {master: {<<: a}}",
            "1:22: expected a mapping or list of mappings for merging, but found scalar",
        ),
        ("redis: {<<: {}, <<: {}}", "1:17: the key '<<' is given twice"),
    ],
)
def test_yaml_that_cannot_be_read_is_reported_with_line_and_column(text: str, said: str) -> None:
    assert _mistakes(text) == [f"1.yaml:{said}"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
@pytest.mark.parametrize("depth", [150, 20_000])
def test_deep_nesting_neither_crashes_nor_gets_through(opening: str, depth: int) -> None:
    [said] = _mistakes("apiserver:\n  " + opening * depth)
    assert said.startswith("1.yaml:2:")
    assert said.endswith(": is nested more than 100 levels deep")


@pytest.mark.parametrize(
    ("text", "given"),
    [("- a", "a list"), ("[]", "an empty list"), ("text", "'text'"), ("5", "5"), ("true", "true")],
)
def test_a_file_that_is_no_mapping(text: str, given: str) -> None:
    assert _mistakes(text) == [f"1.yaml: must be a mapping of values (given: {given})"]


# What messages do not show


@pytest.mark.parametrize(
    "text",
    [
        "redis: {password: 0o17171717171}",
        "redis: {password: !17171717171 a}",
        "redis: {password: *17171717171}",
        "redis: {password: %17171717171}",
        "redis: {master: {name: 'redis://jane:17171717171@example.com'}}",
        "redis: {master: {name: 'jane:17171/71@7171@example.com'}}",
        "elasticsearch: {external: {hosts: ['https://jane:17171717171@a', 'b c']}}",
        "redis: {'redis://:17171717171@example.com': 1}",
    ],
)
def test_a_message_shows_no_secret_that_slipped(text: str) -> None:
    mistakes = _mistakes(text)
    assert mistakes
    assert "1717" not in " ".join(mistakes)


def test_a_url_is_shown_without_its_password() -> None:
    [said] = _mistakes("redis: {master: {name: 'redis://jane:test-secret@example.com'}}")
    assert said.endswith("(given: 'redis://***@example.com')")


@pytest.mark.parametrize(
    "text",
    [
        "? LONG\n: 1",
        "? 'LONG.'\n: 1",
        "? LONG\n: 1\n? LONG\n: 2",
        "redis: {master: {port: LONG}}",
        "apiserver: {nodeSelector: {? LONG : a}}",
        "LONG",
        "a: !LONG b",
    ],
)
def test_a_message_repeats_little_of_what_was_given(text: str) -> None:
    [said, *more] = _mistakes(text.replace("LONG", 100_000 * "a"))
    assert len(said) < 400
    assert not more


# Files that can be read


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing but a comment\n", "---\n", "---\n...\n", "{}"]
)
def test_an_empty_file_changes_nothing(text: str) -> None:
    assert _load(text) == Values()


@pytest.mark.parametrize(
    "content",
    [
        b"apiserver:\n  replicaCount: 7\n",
        b"apiserver:\r\n  replicaCount: 7\r\n",
        b"\xef\xbb\xbfapiserver:\n  replicaCount: 7\n",
        b"\xef\xbb\xbfapiserver:\r\n  replicaCount: 7\r\n",
        b"%YAML 1.2\n---\napiserver: {replicaCount: 7}\n...\n",
    ],
    ids=["LF", "CRLF", "BOM", "BOM and CRLF", "directive"],
)
def test_line_ends_and_byte_order_marks_do_not_matter(content: bytes) -> None:
    assert _load(content).apiserver.replica_count == 7


def test_text_outside_of_ascii_is_kept() -> None:
    values = _load(
        "clearml: {fixedUsers: {users: [{username: a, password: test-secret, name: Zoë}]}}"
    )
    assert values.clearml.fixed_users.users[0].name == "Zoë"


def test_merge_keys_and_aliases() -> None:
    values = _load(
        """
        apiserver: &common
          image: {tag: "2.0"}
          replicaCount: 2
        webserver:
          <<: *common
          replicaCount: 3
        fileserver:
          <<: [{replicaCount: 1}, *common]
        """
    )
    assert values.webserver.image.tag == values.fileserver.image.tag == "2.0"
    assert values.webserver.replica_count == 3
    assert values.fileserver.replica_count == 1
    assert values.apiserver.replica_count == 2


def test_a_merge_key_does_not_touch_what_it_merges() -> None:
    values = _load("redis: &r {master: {port: 1}}\nmongodb: {service: {<<: {port: 2}, port: 3}}")
    assert values.mongodb.service.port == 3
    assert values.redis.master.port == 1


@pytest.mark.parametrize("date", ["2020-02-30", "2024-05-17", "2001-12-14t21:59:43.10-05:00"])
def test_dates_are_strings(date: str) -> None:
    section = f"{{clearmlWorkerId: {date}, podAnnotations: {{built: {date}}}}}"
    values = _load(f"agentservices: {section}").agentservices
    assert values.clearml_worker_id == date
    assert values.pod_annotations == {"built": date}


def test_mistakes_come_by_file_and_line_of_whatever_kind() -> None:
    keys = [
        "apisever: {}",
        "redis: {usePassword: 3}",
        "mckMongodb: {enabled: true}",
        "release: {name: Big}",
    ]
    lines = _mistakes("\n".join(keys), "\n" * 11 + "webserver: 5\n" + "fileserve: 1\n")
    places = [line.split(": ")[0].split(":") for line in lines]
    expected = [*(("1.yaml", n) for n in range(1, 5)), ("2.yaml", 12), ("2.yaml", 13)]
    assert places == [[file, str(line)] for file, line in expected]
