"""A mapping of the user's own, tried in a process of its own: each time anew, and no harm to the server."""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from migrate.serving.rows import Row
from migrate.serving.trial import Asked, Outcomes, Trial
from migrate.throwaway import sweep

SECONDS: Final = 60.0
"""So long a mapping may take for the first rows; one that loops for ever is ended then."""
_Result = tuple[dict[str, Any], Sequence[Row], Outcomes | None]


@dataclass
class Apart:
    """The process of the moment, if there is one."""

    seconds: float = SECONDS
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    def tried(self, asked: Asked, saved: Outcomes | None) -> _Result:
        """Return what holds of the first rows together, the rows, and what became of them to compare others with.

        They are compared with `saved`.
        """
        command = [sys.executable, "-m", __name__]
        with subprocess.Popen(  # noqa: S603 - our own command line
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        ) as process:
            self._process = process
            try:
                found, _ = process.communicate(pickle.dumps((asked, saved)), timeout=self.seconds)
            except subprocess.TimeoutExpired:
                return (
                    _failed(f"the mapping took longer than {self.seconds:g} s, and was ended"),
                    (),
                    None,
                )
            finally:
                self._process = None
                _end(process)
        if process.returncode or not found:
            return _failed(f"the mapping ended its process, with exit code {process.returncode}"), (), None
        result: _Result = pickle.loads(found)  # noqa: S301 - written by our own process
        return result

    def end(self) -> None:
        """End the process, whatever it does."""
        if (process := self._process) is not None:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it has begun, and remove what they wrote aside."""
    with suppress(ProcessLookupError, PermissionError):  # there is none any more
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    sweep(Path(tempfile.gettempdir()))


def _failed(why: str) -> dict[str, Any]:
    return {"error": {"said": f"{why}; mend it, and save it again", "line": None}}


def main() -> None:
    """Try what stdin says, and write on stdout what came of it; what a mapping prints goes to stderr.

    It ends by itself where the server was killed, and nobody else ends it.
    """
    signal.alarm(2 * int(SECONDS))
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        asked, saved = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the server that began this
        trial = Trial(asked, saved)
        found = trial.under(None)
        pickle.dump((found, [row.sent() for row in trial.rows], trial.last), out)


if __name__ == "__main__":
    main()
