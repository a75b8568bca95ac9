"""Paths of values -> lines of the YAML text that they stand in; only mistakes need them."""

import functools
from collections.abc import Sequence

import yaml


def line_of(path: Sequence[str | int], text: str) -> int | None:
    """The line of the key, or of the item of a list, that the path ends in.

    Where the text lacks the end of the path, the line of its last step that is there; None if
    there is none. The text must be YAML that has been read.
    """
    loader, node = _composed(text)
    line = None
    for step in path:
        places: dict[str | int, tuple[yaml.Node, yaml.Node]] = {}
        if isinstance(node, yaml.MappingNode):
            loader.flatten_mapping(node)  # what is merged comes first, and the last counts
            places = {key.value: (key, value) for key, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            places = {index: (item, item) for index, item in enumerate(node.value)}
        if step not in places:
            break
        place, node = places[step]
        line = place.start_mark.line + 1
    return line


@functools.cache
def _composed(text: str) -> tuple[yaml.CSafeLoader, yaml.Node | None]:
    loader = yaml.CSafeLoader(text)
    return loader, loader.get_single_node()
