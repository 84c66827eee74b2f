"""What the page works on: the text, what is tried of it, one after another, and what is saved."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final, Literal, TypeVar

from migrate.errors import MigrateError
from migrate.serving.apart import Apart, Limits
from migrate.serving.bench import MOOT, Compile, Rows, Try
from migrate.serving.complaints import complaint
from migrate.serving.paper import ChangedOnDisk, Paper, Text
from migrate.serving.rows import View
from migrate.serving.trial import Asked

T = TypeVar("T")
Kind = Literal["spec", "mapping", "none"]
_MAPPING_SECONDS: Final = 60.0
"""So long a mapping may take for the first rows."""
_MENDED: Final[Mapping[Kind, str]] = {
    "spec": "make it shorter",
    "mapping": "mend it, and save it again",
    "none": "try fewer rows with --limit",
}
"""What is to be done where a trial takes too much."""
_PATIENCE: Final = 0.5
"""Seconds that an end waits for what is being tried, so that it tidies up behind itself."""


@dataclass(frozen=True)
class Edited:
    """Which file is in the editor, if any, and what it is."""

    kind: Kind = "none"
    path: Path | None = None


class Desk:
    """One text and one trial of it at a time; the newest text that waits is the one that is tried next."""

    def __init__(
        self, asked: Asked, edited: Edited, told: Mapping[str, Any], limits: Limits | None = None
    ) -> None:
        """`told`: what the page is to say of the command, by name; `limits`: how much a trial may take."""
        self._told = told
        self._kind = edited.kind
        if limits is None:
            limits = Limits(seconds=_MAPPING_SECONDS) if edited.kind == "mapping" else Limits()
        what = "rows" if edited.kind == "none" else edited.kind
        self._apart = Apart(asked, what, _MENDED[edited.kind], limits)
        self._paper = None if edited.path is None else Paper(edited.path, is_new=edited.kind == "spec")
        self._turn = asyncio.Lock()
        self._count = self._rows_of = 0
        self._newest: dict[str, int] = {}
        """Window -> which of its texts is the newest, as long as that is tried."""
        self._shown: Try | None = None
        """What was tried last of what could be."""
        self._saved: str | None = None
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Have the process begun that tries texts, which takes a moment."""
        self._apart.begin()

    def page(self) -> dict[str, Any]:
        """Return what the page shows before anything is tried."""
        found: dict[str, Any] = {**self._told, "kind": self._kind, "text": "", "version": ""}
        if self._paper is None:
            return found
        try:
            return found | self._as_said(self._paper.read())
        except MigrateError as error:
            return found | {"error": complaint(str(error), None)}

    def text(self) -> dict[str, Any]:
        """Return what the file says now."""
        if self._paper is None:
            return {"error": complaint("there is no file to read: this platform needs no spec", None)}
        try:
            return self._as_said(self._paper.read())
        except MigrateError as error:
            return {"error": complaint(str(error), None)}

    def _as_said(self, found: Text) -> dict[str, Any]:
        self._saved = found.text
        return {"text": found.text, "version": found.version}

    def save(self, text: str, version: str) -> dict[str, Any]:
        """Write the text, if the file is still that version; return the new version, or what is on disk instead."""
        if self._paper is None:
            return {"error": complaint("there is no file to write: this platform needs no spec", None)}
        try:
            return self._as_said(self._paper.save(text, version))
        except ChangedOnDisk as error:
            return {"error": complaint(str(error), None), "now": self._as_said(error.now)}
        except MigrateError as error:
            return {"error": complaint(str(error), None)}

    async def tried(self, text: str | None, view: View, window: str = "") -> bytes:
        """Return what becomes of the first rows under a text, with those in `view`, as JSON; errors are in it.

        `MOOT` where a newer text of the same window has come: also of one that is being tried, which is ended for it.
        Its `number` tells its rows from those of another text, as of another window.
        A mapping is Python: an unsaved one is compiled and no more; without a text that which is saved runs.
        """
        self._count += 1
        mine = self._newest[window] = self._count

        def is_moot() -> bool:
            return self._newest.get(window) != mine

        async with self._turn:
            if is_moot():
                return MOOT
            try:
                return await self._aside(lambda: self._tried(text, view, mine, is_moot))
            finally:
                if not is_moot():
                    del self._newest[window]

    async def page_of(self, view: View, number: int) -> bytes:
        """Return those of the rows that were tried last which are in a view; `MOOT` where that was another trial."""
        async with self._turn:
            if number not in (0, self._rows_of):
                return MOOT
            return await self._aside(lambda: self._rows(view))

    def _rows(self, view: View) -> bytes:
        """Return rows of the process of the moment; of one that is new, after what was tried last is tried again."""
        if self._apart.is_new and self._shown is not None:
            again = self._apart.answer(self._shown)
            if not again.is_fine:
                return again.said
        return self._apart.answer(Rows(view)).said

    def _tried(self, text: str | None, view: View, number: int, is_moot: Callable[[], bool]) -> bytes:
        """Try a spec; or run the mapping as it is saved, and have the next run be compared with this one."""
        if self._kind == "mapping" and text is not None:
            name = self._paper.path.name if self._paper is not None else "mapping"
            return self._apart.answer(Compile(text, name), is_moot).said
        draft = text if self._kind == "spec" else None
        is_saved = draft == self._saved
        asked = Try(draft, self._saved if draft is None else draft, view, number, is_saved=is_saved)
        ask = self._apart.anew if self._kind == "mapping" else self._apart.answer
        answer = ask(asked, is_moot)
        if answer.is_fine:
            self._rows_of, self._shown = number, asked
            if is_saved or self._kind == "mapping":
                self._apart.saved = answer.outcomes
        return answer.said

    async def _aside(self, work: Callable[[], T]) -> T:
        """Return what is worked out in a thread that nobody waits for when the server ends."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def tell(result: T | None, error: BaseException | None) -> None:
            if not done.cancelled():
                if error is None:
                    done.set_result(result)  # type: ignore[arg-type]
                else:
                    done.set_exception(error)

        def run() -> None:
            try:
                told = work(), None
            except BaseException as error:  # noqa: BLE001 - handed on to who waits
                told = None, error  # type: ignore[assignment]
            if not loop.is_closed():
                loop.call_soon_threadsafe(tell, *told)

        self._thread = Thread(target=run, name="trial", daemon=True)
        self._thread.start()
        return await done

    def end(self) -> None:
        """End what is being tried, or wait for it a moment."""
        self._apart.end()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
