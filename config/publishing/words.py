"""The words of other charts: a table in Markdown."""

from config.publishing.schema import meaning
from config.translation import WORDS

INTRODUCTION = """\
# Words of other charts

Values files of the ClearML charts 0.10 to 7.15 are understood as they are. Where those charts have
another word than this project, this is what becomes of it. Generated from `config/translation.py`
by `make docs`. `make migrate FILE=old.yaml` prints a values file in the words of this project, and
on standard error what it leaves out and what a synthesis refuses. What is empty asks for nothing:
null, `""`, `[]` and `{}` are accepted under each of these words.

| Word | Here |
| --- | --- |
"""


def words() -> str:
    """A line for each word."""
    return INTRODUCTION + "".join(
        f"| `{pattern}` | {meaning(word)} |\n" for pattern, word in sorted(WORDS.items())
    )
