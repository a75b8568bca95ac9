"""The words of other charts: tables in Markdown."""

from config.publishing.schema import meaning
from config.store_charts import STORE_CHARTS
from config.translation import WORDS

INTRODUCTION = """\
# Words of other charts

Values files of the ClearML charts 0.10 to 7.15 are understood as they are. Where those charts have
another word than this project, this is what becomes of it. Generated from `config/translation.py`
and `config/store_charts.py` by `make docs`. `make migrate FILE=old.yaml` prints a values file in
the words of this project, and on standard error what it leaves out and what a synthesis refuses.
What is empty asks for nothing: null, `""`, `[]` and `{}` are accepted under each of these words.

| Word | Here |
| --- | --- |
"""
OF_STORES = """
## Keys of the stores' own charts

With `provider: helm` all of these reach the chart of the store. For an embedded store they are left
out where they are empty, are switched off, or ask for what is done here anyway. Otherwise:

| Key | Here |
| --- | --- |
"""


def words() -> str:
    """A line for each word; of the stores' charts, one for each thing that becomes of some."""
    of_stores: dict[str, list[str]] = {}
    for key, word in sorted(STORE_CHARTS.items()):
        of_stores.setdefault(meaning(word), []).append(f"`{key}`")
    return (
        INTRODUCTION
        + "".join(
            f"| `{pattern}` | {meaning(word)} |\n"
            for pattern, word in sorted(WORDS.items())
            if pattern not in STORE_CHARTS
        )
        + OF_STORES
        + "".join(f"| {', '.join(keys)} | {said} |\n" for said, keys in of_stores.items())
    )
