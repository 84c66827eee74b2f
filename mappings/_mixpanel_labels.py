"""The names that Mixpanel's old schematized pipelines mangled, and how to get them back."""

import itertools
import re
from collections.abc import Iterator, Mapping

from mappings._mixpanel_ids import json_object
from migrate.kit.cells import text_of


def read_labels(document: object) -> Mapping[str, str]:
    """Return mangled name -> original name, of `schema/events.json` or a plain `{"mangled": "original"}`.

    Mixpanel says that it writes these files, not how they look
    (https://docs.mixpanel.com/docs/data-pipelines/old-pipelines/schematized-export-pipeline), so that any two texts
    that stand together, and of which the rules make the one from the other, count as a pair.
    """
    pairs = [pair for one, other in _pairs(document) for pair in ((one, other), (other, one))]
    found = {short: long for short, long in pairs if _is_mangled(short, long)}
    known = {*found, *found.values()}
    plain = document if isinstance(document, dict) else {}
    return found | {name: long for name, long in plain.items() if isinstance(long, str) and name not in known}


def _pairs(node: object) -> Iterator[tuple[str, str]]:
    """Yield any two texts that stand together: a key and its text, a key and a text within, two texts."""
    members = node if isinstance(node, dict) else {}
    for name, child in members.items():
        within = child.values() if isinstance(child, dict) else [child]
        yield from ((name, text) for text in within if isinstance(text, str))
    yield from itertools.combinations([text for text in members.values() if isinstance(text, str)], 2)
    for child in node if isinstance(node, list) else members.values():
        yield from _pairs(child)


def _is_mangled(short: str, long: str) -> bool:
    """Return whether the rules for columns and tables could have made the one name of the other."""
    bare = re.sub(r"(?<=.)_(\d+|string|number|boolean|datetime|list|object)$", "", short)
    if short == long or not re.fullmatch(r"[a-z0-9_]{1,128}", short):
        return False
    plain = re.sub(r"[^a-z0-9]", "", long.lower())
    made = {re.sub(r"[^a-z0-9]", "", re.sub(r"^(mp_|res_)?", "", name)) for name in (short, bare)}
    made |= {name.replace("_", "") for name in (short, bare)}
    return plain in made


def relabelled(text: str, labels: Mapping[str, str]) -> str:
    """Return an object with its keys called by their labels, whatever case they are in; without nulls.

    Of several that have one label the first in order has it, as `Bag.name` does; the others stay what they are.
    """
    bag = {name: value for name, value in json_object(text).items() if value is not None}
    names = {name: labels.get(name, labels.get(name.lower(), name)) for name in bag}
    first = {names[name]: name for name in sorted(bag, reverse=True)} | {name: name for name in bag}
    return text_of({long if first[long] == name else name: bag[name] for name, long in names.items()})
