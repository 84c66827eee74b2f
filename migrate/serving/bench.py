"""The process in which texts are tried: it keeps what was read of the files, and does not outlive the server.

It is asked one thing after another over a connection, says on the way what it is at, and answers as the page has it.
"""

import gc
import signal
import warnings
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, Final, NamedTuple

import msgspec

from migrate.plan.handing import unpacked
from migrate.plan.interrupted import Interrupted
from migrate.plan.worker import Link
from migrate.serving.rows import View
from migrate.serving.trial import TEXT, Outcomes, Trial

SETUP: Final = "setup"
ASK: Final = "ask"
"""What it is told, beside to stop: what is tried, and what others are compared with; a question."""
AT: Final = "at"
DONE: Final = "done"
"""What it says: what it is at, and of which file; an answer."""
_ORPHANED: Final = 120
"""Seconds after which it ends that has said nothing on the way, as one that does not hear that its server is gone."""
MOOT: Final = b'{"moot":true}'
"""The answer to a text that another one came after."""
_encoded: Final = msgspec.json.Encoder().encode


class Try(NamedTuple):
    """Try a draft of the spec, or what is saved, and show rows."""

    draft: str | None
    """What is tried; None for what is on disk."""
    text: str | None
    """What is in the editor, in which an error has its line."""
    view: View
    number: int
    """Tells its rows from those of another text."""
    is_saved: bool = False
    """Whether others are compared with it from now on."""


class Rows(NamedTuple):
    """Show other rows of what was tried last."""

    view: View


class Compile(NamedTuple):
    """Tell whether a text is Python."""

    text: str
    name: str


Question = Try | Rows | Compile


class Answer(NamedTuple):
    """What the page is told."""

    said: bytes
    """As JSON."""
    is_fine: bool = False
    outcomes: Outcomes | None = None
    """What became of the rows, where it could be tried."""


def failed(said: str, line: int | None = None) -> Answer:
    """Return what is said of something that is wrong."""
    return Answer(_encoded({"error": {"said": said, "line": line}}))


def answered(question: Question, trial: Trial) -> Answer:
    """Return the answer."""
    match question:
        case Rows(view):
            return Answer(_encoded(trial.page(view)), is_fine=True)
        case Compile(text, name):
            return _compiled(text, name)
        case Try():
            try:
                found = trial.under(question.draft, text=question.text, is_saved=question.is_saved)
            except Interrupted:
                return Answer(MOOT)
            if "error" in found:
                return Answer(_encoded(found))
            found |= {"page": trial.page(question.view), "number": question.number}
            return Answer(_encoded(found), is_fine=True, outcomes=trial.last)


def _compiled(text: str, name: str) -> Answer:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f"{name}:{error.lineno}" if error.lineno else name
        return failed(f"{where}: no Python, {error.msg}; mend it there", error.lineno)
    except (ValueError, RecursionError, MemoryError) as error:
        return failed(f"{name}: no Python, found '{error}'; mend it there")
    return Answer(_encoded({"compiled": True}), is_fine=True)


class _Way:
    """What is told on the way."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def __call__(self, *at: str) -> None:
        """Say what it is at; raises Interrupted where it is to stop."""
        if self._link.stopping.is_set():
            raise Interrupted
        signal.alarm(_ORPHANED)
        self._link.send(AT, at)


def main(descriptor: int) -> None:
    """Answer what is asked over the connection with this number."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what ends it is the connection
    link = Link(Connection(descriptor))
    Thread(target=link.listen, name="listen", daemon=True).start()
    _, data = link.tasks.get()
    asked, saved = unpacked(data)
    trial = Trial(asked, saved, _Way(link))
    gc.collect()
    gc.freeze()  # see `session.collect_rarely`
    while True:
        _, data = link.tasks.get()
        signal.alarm(_ORPHANED)
        link.send(AT, (TEXT, ""))
        answer: Any = answered(unpacked(data), trial)
        signal.alarm(0)
        link.send(DONE, answer)
