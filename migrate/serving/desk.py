"""What the page works on: the text, what is tried of it, one after another, and what is saved."""

import asyncio
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any, Final, Literal, TypeVar

from migrate.errors import MigrateError
from migrate.serving.apart import Apart
from migrate.serving.complaints import complaint
from migrate.serving.paper import ChangedOnDisk, Paper, Text
from migrate.serving.rows import View
from migrate.serving.trial import Asked, Trial

T = TypeVar("T")
Kind = Literal["spec", "mapping", "none"]
MOOT: Final[Mapping[str, Any]] = {"moot": True}
"""The answer to a text that another one came after, while it waited."""
_SECONDS: Final = 20.0
_BUSY: Final = (
    "a text that was tried before takes very long, and this one waits for it; where it does not end, end the server "
    "(Ctrl-C), and start it again"
)
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
        self, asked: Asked, edited: Edited, told: Mapping[str, Any], *, seconds: float = _SECONDS
    ) -> None:
        """`told`: what the page is to say of the command, by name; `seconds` a text waits for one before it."""
        self._seconds = seconds
        self._asked, self._told = asked, told
        self._kind = edited.kind
        self._paper = None if edited.path is None else Paper(edited.path, is_new=edited.kind == "spec")
        self._trial = Trial(asked)
        self._apart = Apart()
        self._turn = asyncio.Lock()
        self._newest = self._rows_of = 0
        self._saved: str | None = None
        self._thread: Thread | None = None

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

    async def tried(self, text: str | None, view: View) -> Mapping[str, Any]:
        """Return what becomes of the first rows under a text, with those in `view`; `MOOT` where a newer text waits.

        Its `number` tells its rows from those of another text, as of another window.
        A mapping is Python: an unsaved one is compiled and no more; without a text that which is saved runs, apart.
        """
        if self._kind == "mapping" and text is not None:
            return self._compiled(text)
        self._newest += 1
        mine = self._newest
        try:
            async with asyncio.timeout(None if self._kind == "mapping" else self._seconds):
                await self._turn.acquire()
        except TimeoutError:
            return {"error": complaint(_BUSY, None)}
        try:
            if mine != self._newest:
                return MOOT
            found = await self._aside(lambda: self._run(text))
            if "error" in found:
                return found
            self._rows_of = mine
            return found | {"page": self._trial.page(view), "number": mine}
        finally:
            self._turn.release()

    def page_of(self, view: View, number: int) -> Mapping[str, Any]:
        """Return those of the rows that were tried last which are in a view; `MOOT` where that was another trial."""
        return self._trial.page(view) if number in (0, self._rows_of) else MOOT

    def _compiled(self, text: str) -> dict[str, Any]:
        """Return whether a text is Python."""
        name = self._paper.path.name if self._paper is not None else "mapping"
        try:
            with warnings.catch_warnings(action="ignore"):
                compile(text, name, "exec", dont_inherit=True)
        except SyntaxError as error:
            where = f"{name}:{error.lineno}" if error.lineno else name
            return {
                "error": {"said": f"{where}: no Python, {error.msg}; mend it there", "line": error.lineno}
            }
        except (ValueError, RecursionError, MemoryError) as error:
            return {"error": {"said": f"{name}: no Python, found '{error}'; mend it there", "line": None}}
        return {"compiled": True}

    def _run(self, text: str | None) -> dict[str, Any]:
        """Try a spec; or run the mapping as it is saved, and have the next run be compared with this one."""
        if self._kind != "mapping":
            draft = text if self._kind == "spec" else None
            return self._trial.under(draft, is_saved=draft == self._saved)
        found, rows, outcomes = self._apart.tried(self._asked, self._trial.saved)
        self._trial.saved = outcomes or self._trial.saved
        self._trial.rows = rows or self._trial.rows
        if "error" in found and self._paper is not None and self._saved is not None:
            found["error"] |= complaint(found["error"]["said"], self._saved)
        return found

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
