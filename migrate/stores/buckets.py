"""A bucket, or a web server, opened once: what lies in it, one object's entry, ranges of it, and new objects."""

import importlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from migrate.errors import Stopped, UsageError
from migrate.stores.credentials import missing
from migrate.stores.oddkeys import OddKeys, Page, is_odd
from migrate.stores.opening import maker
from migrate.stores.troubles import Trouble, trouble
from migrate.stores.urls import Url, whole
from migrate.stores.waiting import answer, asked, rest

PAUSES: Final = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
"""Seconds at the most between two tries, as many as are made; each is drawn at random."""
_MOST_CUTS: Final = 32
"""So often a range is read on after the connection was cut inside of it."""
_PAGE: Final = 1_000
_PIECE: Final = 1 << 18
_PART: Final = 8 << 20
"""Bytes of a part of an object that is written; S3 takes 10,000 of them."""
_ONCE: Final = {"max_retries": 0}
_EMPTY: Final = "status code: 416"

met: Final = Counter[str]()
"""What this process met while it read, each followed by another try: `cut` and `busy`."""

_Answer = TypeVar("_Answer")


class Entry(NamedTuple):
    """An object as a storage lists it."""

    size: int
    tag: str
    """Another one where the bytes are others: the e_tag, without quotes; else the version, or when it was written."""
    is_strong: bool = True
    """Whether a server can be asked to give these bytes or none."""

    @property
    def stamp(self) -> str:
        """Which bytes it has, told without reading it."""
        return f"{self.size}:{self.tag}"


class Bucket:
    """One bucket, or one web address, opened; its methods raise `Trouble`, and Stopped where nobody answers."""

    def __init__(self, url: Url) -> None:
        """Raise UsageError where it cannot be opened."""
        try:
            self._api: Any = importlib.import_module("obstore")
            stores = importlib.import_module("obstore.store")
        except ImportError:
            raise UsageError(missing(url.place)) from None
        self._url = url
        self._errors = (self._api.exceptions.BaseError, OSError, ValueError)
        make = maker(stores, url)
        # Ranges are asked for again here, where it is counted; pages of a listing by obstore.
        try:
            self._lists, self._reads = make(None), make(_ONCE)
        except self._errors:
            why = "what the environment says of it cannot be used; see to its credentials and settings"
            raise UsageError(f"{url.place}: {why} (docs/storage.md)") from None

    def entries(self, prefix: str) -> Iterator[tuple[str, Entry]]:
        """Yield the keys that begin so, page by page, with what is there.

        obstore lists ten times as fast as botocore, and no page on which a key lies that it cannot hold: from there on
        botocore does.
        """
        # obstore lists what lies below a folder.
        folder = prefix.rpartition("/")[0]
        if (folder and self._is_odd(folder)) or (not folder and self._has_first_slash(prefix)):
            yield from self._all_entries(prefix, "")
            return
        after, empty = "", set[str]()
        try:
            pages = iter(self._api.list(self._lists, folder or None, chunk_size=_PAGE))
            while (page := answer(asked(lambda: next(pages, None)))) is not None:
                for key, entry in (
                    (one["path"], _entry(one)) for one in page if one["path"].startswith(prefix)
                ):
                    if entry.size:
                        after = key
                        empty.clear()
                    else:
                        empty.add(key)
                    yield key, entry
        except self._errors as error:
            if not isinstance(error, self._api.exceptions.InvalidPathError) or self._url.scheme != "s3":
                raise trouble(error, self._url.scheme) from None
        else:
            return
        # What is empty may stand for a folder: obstore has left out the slash at its end.
        for key, entry in self._all_entries(prefix, after):
            if entry.size or key.removesuffix("/") not in empty:
                yield key, entry

    def _all_entries(self, prefix: str, after: str) -> Iterator[tuple[str, Entry]]:
        """Yield the same of all keys behind another one, whatever is in them."""
        page = self._page(prefix, after=after)
        yield from ((one["path"], _entry(one)) for one in page.objects)
        while page.token:
            page = self._page(prefix, token=page.token)
            yield from ((one["path"], _entry(one)) for one in page.objects)

    def _page(self, prefix: str, *, after: str = "", token: str = "", most: int = _PAGE) -> Page:
        return self._patiently(
            lambda: answer(asked(lambda: self._odd.page(prefix, after=after, token=token, most=most)))
        )

    def _has_first_slash(self, prefix: str) -> bool:
        """Return whether there are such keys behind a slash, which obstore leaves out and does not tell of."""
        return self._url.scheme == "s3" and bool(self._page(f"/{prefix}", most=1).objects)

    def _is_odd(self, key: str) -> bool:
        """Return whether botocore is to be asked for a key; raises `Trouble` where that cannot be."""
        if self._url.is_web or not is_odd(key):
            return False
        if self._url.scheme != "s3":
            raise Trouble.misnamed(key)
        return True

    @cached_property
    def _odd(self) -> OddKeys:
        return OddKeys(self._url)

    def entry(self, key: str) -> Entry:
        """Return one object's entry; the reason is `vanished` where there is none."""
        return self._patiently(lambda: answer(asked(lambda: self._looked_up(key))))

    def _looked_up(self, key: str) -> Entry:
        try:
            if not self._url.is_web:
                is_odd_key = self._is_odd(key)
                return _entry(self._odd.head(key) if is_odd_key else self._api.head(self._reads, key))
            # A signed address is signed for GET alone.
            found = self._api.get(self._reads, "", options={"range": (0, 1)})
            return _entry(found.meta)
        except self._errors as error:
            if self._url.is_web and _EMPTY in str(error):
                return Entry(0, "empty", is_strong=False)
            raise trouble(error, self._url.scheme) from None

    def read(self, key: str, entry: Entry, start: int, end: int) -> bytearray:
        """Return these bytes of the object that was listed, never of another one.

        What a connection that was cut has brought is kept, and the rest asked for.
        """
        held, cuts = bytearray(), 0
        while len(held) < end - start:
            before = len(held)
            try:
                self._patiently(lambda: self._add(key, entry, (start, end), held))
            except Trouble as error:
                if not error.is_cut:
                    raise
                met["cut"] += 1
                cuts += 1
                is_stuck = len(held) == before
                if cuts > (len(PAUSES) if is_stuck else _MOST_CUTS):
                    raise Trouble.cut(start + len(held)) from None
                if is_stuck:
                    _pause(PAUSES[cuts - 1])
        return held

    def _add(self, key: str, entry: Entry, wanted: tuple[int, int], held: bytearray) -> None:
        """Add to what is held of a range what one answer brings of the rest."""
        place = wanted[0] + len(held)
        options: dict[str, Any] = {"range": (place, wanted[1])}
        if entry.is_strong:
            options["if_match"] = f'"{entry.tag}"'
        try:
            if self._is_odd(key):
                found = self._odd.get(key, options)
            else:
                found = self._api.get(self._reads, "" if self._url.is_web else key, options=options)
            _check(found, entry, place)
            for piece in found.stream(min_chunk_size=_PIECE):
                held += piece
        except self._errors as error:
            raise trouble(error, self._url.scheme) from None

    def put(self, key: str, chunks: Iterable[bytes]) -> None:
        """Write an object of these chunks, which is there whole or not at all."""
        if is_odd(key):
            raise Trouble.misnamed(key)
        raised: list[BaseException] = []
        coming, start = iter(chunks), bytearray()
        while len(start) < _PART and (chunk := next(coming, None)) is not None:
            start += chunk

        def watched() -> Iterator[bytes]:
            yield bytes(start)
            try:
                yield from coming
            except BaseException as error:
                raised.append(error)
                raise

        # What is small is written at once: the same bytes have the same e_tag, then, and it can be written again.
        if len(start) < _PART:
            self._patiently(lambda: self._put(self._reads, key, bytes(start), raised))
        else:
            self._put(self._lists, key, watched(), raised)

    def _put(
        self, store: object, key: str, data: bytes | Iterator[bytes], raised: Sequence[BaseException]
    ) -> None:
        try:
            answer(asked(lambda: self._api.put(store, key, data, chunk_size=_PART, max_concurrency=4)))
        except self._errors as error:
            raise (raised[0] if raised else trouble(error, self._url.scheme)) from None

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; one that is not there is no matter."""
        self._patiently(lambda: self._delete([*keys]))

    def _delete(self, keys: list[str]) -> None:
        try:
            answer(asked(lambda: self._api.delete(self._reads, keys)))
        except self._errors as error:
            found = trouble(error, self._url.scheme)
            if found.reason != "vanished":
                raise found from None
            for key in keys if len(keys) > 1 else ():
                self._delete([key])

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Return an answer; a storage that is busy, or gives none, is asked again for a while."""
        for pause in PAUSES:
            try:
                return ask()
            except Trouble as error:
                if not error.is_busy:
                    raise
                met["busy"] += 1
                _pause(pause)
        try:
            return ask()
        except Trouble as error:
            if error.is_busy:
                raise Stopped(f"{self._url.place}: {error.why}", "server") from None
            raise


def bucket_of(url: Url) -> Bucket:
    """Return a container, opened once; raises UsageError where it cannot be, Stopped where nobody answers."""
    return opened(url, whole(url))


@lru_cache(maxsize=64)
def opened(url: Url, _: tuple[str, str]) -> Bucket:
    """Return the same, of a web address with what is secret in it now."""
    return Bucket(url)


def asked_again() -> str | None:
    """Return how often a storage was asked again since this was told last, as a sentence; None where it never was."""
    busy, cut = met.pop("busy", 0), met.pop("cut", 0)
    if not busy + cut:
        return None
    return f"a storage was asked again: it was busy, {busy:,}x; the connection was cut inside an answer, {cut:,}x"


def _pause(most: float) -> None:
    rest(random.uniform(0, most))  # noqa: S311 - no secret


def _check(found: Any, entry: Entry, place: int) -> None:  # noqa: ANN401 - obstore's answer
    """Raise `Trouble` where an answer is not of the object that was listed, or of another place in it."""
    now = _entry(found.meta)
    if now.size != entry.size or now.tag != entry.tag:
        raise Trouble.changed()
    if found.range[0] != place:
        raise Trouble("unreadable", "its server gives other bytes than it is asked for; download it")


def _entry(meta: Mapping[str, Any]) -> Entry:
    """Return an entry of what obstore tells of an object."""
    raw = meta["e_tag"] or ""
    tag = raw.removeprefix("W/").strip('"')
    is_strong = bool(tag) and not raw.startswith("W/")
    return Entry(meta["size"], tag or meta["version"] or str(meta["last_modified"]), is_strong)
