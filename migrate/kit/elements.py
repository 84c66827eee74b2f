"""Clicked elements → PostHog's `$elements_chain` text."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

MAX_TEXT: Final = 400
MAX_HREF: Final = 2_048
"""Where PostHog cuts an element's text and link (nodejs `elements-chain.ts`, `extractElements`)."""


class Node(msgspec.Struct, rename={"index_of_type": "indexOfType"}):
    """An element and where it stands among its siblings, counted from 0, as Amplitude's hierarchy has it."""

    tag: str | None = None
    id: str | None = None
    classes: list[str] = []
    index: int | None = None
    index_of_type: int | None = None
    attrs: dict[str, Any] = {}


_nodes = msgspec.json.Decoder(list[Node | None])
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_-]+\Z")
_NOT_IN_CLASS = re.compile(r'[\s";]')
_QUOTE = re.compile(r'\\?"')


def chain(  # noqa: PLR0913, PLR0917 - what is known of an element, by name
    hierarchy: str | None = None,
    tag: str | None = None,
    classes: str | None = None,
    identifier: str | None = None,
    href: str | None = None,
    text: str | None = None,
) -> str | None:
    """Return the chain of an element and its ancestors, null where nothing is known.

    `hierarchy` is a JSON list of nodes, the element first; one that cannot be read counts as none. What is said of
    the element itself wins over its node. Grammar: `tag.class.class:key="value"key="value";parent…`, classes and
    keys sorted, quotes in values behind a backslash (PostHog, nodejs `elements-chain.ts`).
    """
    first, *others = _hierarchy(hierarchy) or [Node()]
    own = Node(
        tag=tag or first.tag,
        id=identifier or first.id,
        classes=(classes or "").split() or first.classes,
        index=first.index,
        index_of_type=first.index_of_type,
        attrs=first.attrs | ({"href": href} if href else {}),
    )
    if own == Node() and not text:
        return None
    return ";".join([_element(own, text), *(_element(node) for node in others)])


def _hierarchy(text: str | None) -> list[Node]:
    try:
        return [node for node in _nodes.decode(text or "[]") if node is not None]
    except (msgspec.DecodeError, UnicodeEncodeError):
        return []


def _element(node: Node, text: str | None = None) -> str:
    names = sorted({_NOT_IN_CLASS.sub("", name) for name in node.classes} - {""})
    members = "".join(f'{key}="{value}"' for key, value in sorted(_attributes(node, text)) if value)
    return ".".join([node.tag or "", *names]) + ":" + members


def _attributes(node: Node, text: str | None) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of an element; a link and an id stand there twice, as PostHog writes them."""
    known = {"id": node.id, "class": " ".join(node.classes)}
    for key, value in (node.attrs | {key: value for key, value in known.items() if value}).items():
        if _ATTRIBUTE.match(key):
            yield f"attr__{key}", _value(value)
    yield "attr_id", _value(node.id or "")
    yield "href", _value(node.attrs.get("href") or "")[:MAX_HREF].rstrip("\\")
    for key, place in {"nth-child": node.index, "nth-of-type": node.index_of_type}.items():
        if place is not None:
            yield key, str(place + 1)
    yield "text", _value((text or "")[:MAX_TEXT])


def _value(value: object) -> str:
    """Return a value on one line, quotes escaped, no backslash before the quote that closes it."""
    return _QUOTE.sub(r'\\"', " ".join(str(value).split()).rstrip("\\ "))
