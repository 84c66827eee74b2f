"""An address that is typed → the objects it stands for: one, those below it, or those that its pattern is for."""

import glob
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from migrate.errors import Stopped, UsageError
from migrate.inputs.passed import is_ours, why_passed
from migrate.stores.objects import Object, below
from migrate.stores.troubles import Trouble
from migrate.stores.urls import parsed

_MAGIC: Final = re.compile(r"[*?[]")
_WILD: Final = re.compile(r"\*\*/|\*+|\?|\[!?\]?[^\]]*\]|.", re.DOTALL)
_PLAN, _PEOPLE, _LOCK = "checkpoint.sqlite", "people.sqlite", "people.lock"
_OURS: Final = {_PLAN, _PEOPLE}
"""What a workdir of ours is told by, and a folder with who is who."""


def objects(given: str, skip: Callable[[str, str], None]) -> Iterator[Object]:
    """Yield what an address stands for, none where there is nothing; what is passed over is told with its reason.

    As with files, what exists under the very name is meant before a pattern is; and what a pattern matches may be a
    folder, all of which is meant. Raises UsageError for what cannot be listed or read, Stopped where nobody answers.
    """
    try:
        yield from _objects(given, skip)
    except Trouble as error:
        if error.is_busy:
            raise Stopped(f"input {given}: {error.why}", "server") from None
        raise UsageError(f"input {given}: {error.why}") from None


def _objects(given: str, skip: Callable[[str, str], None]) -> Iterator[Object]:
    url, is_pattern = parsed(given), glob.has_magic(given)
    one, denied = Object(given), None
    if url.key and not url.key.endswith("/"):
        try:
            one.entry  # noqa: B018 - it is looked up
        except Trouble as error:
            if url.is_web:
                raise
            # Who may not list a bucket is told that what is not there is forbidden.
            denied = None if error.reason == "vanished" else error
        else:
            yield one
            return
    elif url.is_web:
        raise UsageError(f"input {given}: a web server lists nothing; name each of its files")
    if glob.has_magic(url.host):
        raise UsageError(f"input {given}: a pattern in a bucket's name; name one bucket")
    folder = url.key if url.key.endswith("/") or not url.key else f"{url.key}/"
    if not is_pattern:
        inside = list(below(url._replace(key=folder)))
        if denied is not None and not inside:
            raise denied
        yield from _walked(inside, f"{url.place}/{folder}", skip)
        return
    literal = url.key[: next(_MAGIC.finditer(url.key)).start()]
    matching = re.compile(_regex(url.key) + r"(?:/.*)?", re.DOTALL)
    start = len(url.place) + 1
    found = (one for one in below(url._replace(key=literal)) if matching.fullmatch(one.url, start))
    yield from _walked(found, f"{url.place}/{literal[: literal.rfind('/') + 1]}", skip)


def _walked(found: Iterable[Object], top: str, skip: Callable[[str, str], None]) -> Iterator[Object]:
    """Yield what lies below a folder but for what is passed over in folders on a disk, each folder told once."""
    told: set[str] = set()

    def leave(reason: str, name: str) -> None:
        if name not in told:
            told.add(name)
            skip(reason, name)

    taken = []
    for one in found:
        if (passed := _passed(one.url, len(top))) is None:
            taken.append(one)
        else:
            leave(*passed)
    ours = {one.url for one in taken if one.name in _OURS and is_ours(one)}
    plans = tuple(url.removesuffix(_PLAN) for url in ours if url.endswith(f"/{_PLAN}"))
    for one in taken:
        folder = one.url.removesuffix(one.name)
        if one.url.startswith(plans):
            leave("workdir", next(plan for plan in plans if one.url.startswith(plan)).rstrip("/"))
        elif one.name in {_PEOPLE, _LOCK} and f"{folder}{_PEOPLE}" in ours:
            leave("workdir", one.url)
        else:
            yield one


def _passed(url: str, start: int) -> tuple[str, str] | None:
    """Return why an object is passed over, and the folder that is, or the object, by the names behind a place."""
    ends = [*(found.start() for found in re.finditer("/", url) if found.start() > start), len(url)]
    for end in ends:
        if reason := why_passed(url[start:end].rpartition("/")[2]):
            return reason, url[:end]
    return None


def _regex(pattern: str) -> str:
    """Return a pattern as an expression: `*` is within one folder, `**` reaches over any number of them."""

    def meant(found: re.Match[str]) -> str:
        text = found[0]
        if text == "**/":
            return "(?:.*/)?"
        if text.startswith("*"):
            return "[^/]*" if text == "*" else ".*"
        if text == "?":
            return "[^/]"
        if len(text) > 1:
            inside = text[1:-1].replace("\\", "\\\\")
            return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
        return re.escape(text)

    return _WILD.sub(meant, pattern)
