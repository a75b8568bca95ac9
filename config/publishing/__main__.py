"""`python -m config.publishing`: write all files that are generated from the values' types."""

import json
from pathlib import Path

from config.publishing.defaults import commented_defaults
from config.publishing.editors import editor_schema
from config.publishing.reference import reference
from config.publishing.versions import versions
from config.publishing.words import words

ROOT = Path(__file__).parent.parent.parent


def main() -> None:
    """Replace the files, which are committed like sources."""
    files = {
        "config/values.schema.json": json.dumps(editor_schema(), indent=2) + "\n",
        "docs/values.md": reference(),
        "docs/versions.md": versions(),
        "docs/words.md": words(),
        "docs/values.yaml": commented_defaults(),
    }
    for file, text in files.items():
        (ROOT / file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
