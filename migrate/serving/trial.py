"""The first rows under a text of the spec → what the page shows of them, as JSON has it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from migrate.errors import MigrateError
from migrate.plan.interrupted import Interrupted
from migrate.preview import Preview, preview
from migrate.report import ruled, sections
from migrate.report.sections import Line, labelled
from migrate.serving import fields, who
from migrate.serving.complaints import complaint
from migrate.serving.kept import Kept
from migrate.serving.rows import Row, View, counts, page, payload
from migrate.settings import Settings, Work
from migrate.workdir.records import Numbers

_CHECKED_BYTES: Final = 8 << 20
"""So much of each file is looked at for text that is not valid in its encoding, as for a preview."""
_MOST_FILES: Final = 200
"""So many files are looked into for the first rows, beside those in which others look things up."""
_MOST_BESIDE: Final = 50
"""So many payloads are shown that come from no one row."""
_YOUNG: Final = "younger_than_48h"
"""What depends on the day on which it is tried."""

Outcomes = Mapping[str, bytes]
"""Where a row is -> a digest of what became of it, to be compared."""
Way = Callable[[str, str], None]
"""Told of what is done next, and of which file; it may raise Interrupted."""
TEXT: Final = "text"
READING: Final = "reading"
ROWS: Final = "rows"
"""What is done: the text is read; the files are found, or one is read; rows are mapped."""


@dataclass(frozen=True)
class Asked:
    """What is tried, as the command line says it; it can be handed to another process."""

    settings: Callable[..., Settings]
    """Makes the settings, under a `draft` of the spec; raises UsageError for a wrong one."""
    inputs: Sequence[str]
    limit: int


class Trial:
    """What is tried again and again, with what was read of its files, and what rows are compared with."""

    def __init__(self, asked: Asked, saved: Outcomes | None = None, way: Way = lambda *_: None) -> None:
        self._asked, self._way = asked, way
        self._kept = Kept(asked.limit, lambda name: way(READING, name), lambda: way(ROWS, ""))
        self.saved = saved
        """What became of rows under what is saved; None as long as that could not be tried."""
        self.last: Outcomes | None = None
        """What became of them when it was tried last; None where it could not be."""
        self.rows: Sequence[Row] = ()
        """Those of the last time that it could be tried."""

    def under(self, draft: str | None, *, text: str | None = None, is_saved: bool = False) -> dict[str, Any]:
        """Try a draft, or what is there, and return what holds of its rows together; an error is in it.

        An error has its line in `text`, or in the draft. Where it is what is saved, later ones are compared with it.
        Raises Interrupted where it is told to stop on its way.
        """
        text = draft if text is None else text
        began = time.perf_counter()
        self.last = None
        try:
            found = self._tried(draft, is_saved=is_saved)
        except MigrateError as error:
            found = {"error": complaint(str(error), text)}
        except Interrupted:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever is raised is shown, a panic of polars' as well
            said = f"{type(error).__name__}: {error}; this is a fault of migrate's: please report it"
            found = {"error": complaint(said, text)}
        return found | {"seconds": round(time.perf_counter() - began, 3)}

    def page(self, view: View) -> dict[str, Any]:
        """Return the rows that are looked at."""
        return page(self.rows, view)

    def _tried(self, draft: str | None, *, is_saved: bool) -> dict[str, Any]:
        self._way(TEXT, "")
        settings = self._asked.settings(draft=draft)
        self._way(READING, "")
        work = settings.work(self._asked.inputs, checked=_CHECKED_BYTES, most=_MOST_FILES)
        self._kept.begin()
        self._way(ROWS, "")
        shown = [*preview(work, self._asked.limit, numbers := Numbers(), self._kept)]
        rows, beside = [one for one in shown if one.place], [one for one in shown if not one.place]
        self.last = {one.place: _digest(one) for one in rows}
        self.saved = self.last if is_saved else self.saved
        made = [[payload(text) for text in one.payloads] for one in rows]
        self.rows = [
            Row.of(
                one,
                self._kept.tables.get(one.file),
                [each.event for each in payloads],
                self._warnings(one),
                is_changed=self._is_changed(one),
            )
            for one, payloads in zip(rows, made, strict=True)
        ]
        texts = [text for one in beside for text in one.payloads]
        merging = [*map(payload, texts), *(each for payloads in made for each in payloads)]
        return {
            "counts": counts(self.rows),
            "events": Counter(name for row in self.rows for name in row.events),
            "people": who.persons(merging) | {"told": _labelled(who.told(self._kept.report))},
            "beside": {
                "payloads": [fields.shown(fields.flat(text)) for text in texts[:_MOST_BESIDE]],
                "of": len(texts),
            },
            "notes": _labelled([*self._few(), *_notes(numbers, work)]),
        }

    def _few(self) -> Iterator[Line]:
        """Yield that fewer rows are shown than were asked for, as they are long."""
        if self._kept.is_full and (count := len(self.rows)) < self._asked.limit:
            yield labelled("note", f"the rows are long: the first {count:,} are looked at, and no more")

    def _warnings(self, one: Preview) -> list[str]:
        """Return the warnings of a row."""
        return [name for name in self._kept.warnings.get(one.place, ()) if name != _YOUNG]

    def _is_changed(self, one: Preview) -> bool:
        return self.saved is not None and self.saved.get(one.place) != (self.last or {}).get(one.place)


def _digest(one: Preview) -> bytes:
    """Return a digest of what became of a row."""
    return blake2b(
        "\0".join((one.why or "", *one.payloads)).encode(errors="surrogatepass"), digest_size=16
    ).digest()


def _labelled(lines: Iterable[Line]) -> list[tuple[str, str]]:
    """Return lines of a screen, each as its label and what stands beside it."""
    return [(line.text[: line.hang].strip(), line.text[line.hang :]) for line in lines]


def _notes(numbers: Numbers, work: Work) -> Iterator[Line]:
    """Yield what holds of the rows together, in the words of other screens."""
    yield from sections.warned({name: n for name, n in numbers.warnings.items() if name != _YOUNG}, {})
    yield from sections.changed(numbers.repairs)
    ruling = work.settings.ruling
    notes = (*ruled.near(ruling), *ruled.unmet(ruling), *work.remarks)
    yield from (labelled("note", note) for note in notes)
    yield from (labelled("aside", f"not planned: {name}: {one.why}") for name, one in work.set_aside.items())
    yield from sections.passed_over({why: len(names) for why, names in work.skipped.items()}, work.skipped)
    if (count := len(work.names) - len(work.jobs)) > 0 and len(work.jobs) >= _MOST_FILES:
        said = f"{count:,} more files are not looked into: the first rows are those of the first files"
        yield labelled("note", said)
