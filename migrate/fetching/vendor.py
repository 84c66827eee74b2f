"""What a vendor's export API is to whoever fetches: what to ask, how often, and what an answer means."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from migrate.apply.capture import SERVER_ERRORS, Answer, retry_after, shown
from migrate.apply.outcome import Retry, Stop
from migrate.fetching.spans import Calendar, Span

AGAIN: Final = "run the same command again to go on"
HOST: Final = "--api-host"
"""The option that says where a vendor is asked, as messages name it."""


@dataclass(frozen=True)
class Login:
    """A user and a password of HTTP's basic authentication, which no message, log or file shows."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """Return what says who asks."""
        return f"Basic {b64encode(f'{self.user}:{self.password}'.encode()).decode()}"

    @property
    def mark(self) -> str:
        """Return by what the user is known again, who stands for a project; too little of a digest to know it by."""
        return blake2b(self.user.encode(), digest_size=3).hexdigest()

    def masked(self, text: str) -> str:
        """Return another's words on one line, without the two."""
        for one in (self.header.split()[1], self.password, self.user):
            text = text.replace(one, "***") if one else text
        return shown(text, "")


class Question(NamedTuple):
    """What is asked: a path below the vendor's host, and what stands behind its `?`."""

    path: str
    query: Mapping[str, str]


class Quota(NamedTuple):
    """So many requests in so many seconds, at the most."""

    most: int
    seconds: float


class Ready(NamedTuple):
    """The body of the answer is the export."""


class Empty(NamedTuple):
    """There is nothing of this stretch."""


class Busy(NamedTuple):
    """Asked too often; to be asked again after so many seconds, if the vendor says so."""

    found: str
    retry_after: float | None


class TooMuch(NamedTuple):
    """This stretch is more than the vendor gives at once; `undivided` is what that means where it has no halves."""

    undivided: Retry | Stop


class Early(NamedTuple):
    """For the vendor this stretch has not begun; `found` is what it said."""

    found: str


Meaning: TypeAlias = Ready | Empty | Busy | TooMuch | Early | Retry | Stop


class Vendor(Protocol):
    """An export API."""

    @property
    def name(self) -> str:
        """The platform, as `run` calls it."""
        ...

    @property
    def title(self) -> str:
        """The vendor, as messages call it."""
        ...

    @property
    def url(self) -> str:
        """Where it is asked, without a path."""
        ...

    @property
    def login(self) -> Login:
        """Who asks."""
        ...

    @property
    def project(self) -> str | None:
        """Which project is asked for, where the question says it."""
        ...

    @property
    def calendar(self) -> Calendar:
        """Which stretches can be asked for."""
        ...

    @property
    def quotas(self) -> Sequence[Quota]:
        """How often it may be asked."""
        ...

    @property
    def pause(self) -> float:
        """Seconds after a 429 that says no time; doubled each time."""
        ...

    @property
    def form(self) -> Literal["zip", "gzip"]:
        """What the files are that are kept."""
        ...

    @property
    def key(self) -> str:
        """What every row has."""
        ...

    def end(self, now: datetime) -> datetime:
        """Return until when there is something to ask for, on the vendor's clock. `now` is aware of its zone."""
        ...

    def local(self, time: datetime) -> datetime:
        """Return an aware time as the vendor's clock has it, without a zone."""
        ...

    def question(self, span: Span) -> Question:
        """Return what asks for a stretch."""
        ...

    def meaning(self, answer: Answer, *, now: float) -> Meaning:
        """Return what an answer means; pure. Of a 200 the body is not looked at. `now`: seconds since 1970."""
        ...


class Voice(NamedTuple):
    """Who has answered: messages name it, and hide who asked."""

    title: str
    url: str
    login: Login

    def words(self, answer: Answer) -> str:
        """Return what was answered as it may be shown: its status, and the beginning of its body."""
        return f"{answer.status} '{self.login.masked(answer.body.decode('utf-8', errors='replace'))}'"

    def again(self, answer: Answer, *, now: float) -> Retry | Busy:
        """Return that the same is to be asked again."""
        after = retry_after(answer.headers.get("Retry-After"), now=now)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return Busy(self.words(answer), after)
        return Retry(self.words(answer), after)

    def stop(self, answer: Answer, what: str, advice: str, why: str = "server") -> Stop:
        """Return that asking again is no use before a person has looked."""
        return Stop(f"{self.url}: {what}, found {self.words(answer)}; {advice}, then {AGAIN}", why)

    def strange(self, answer: Answer) -> Stop:
        """Return that what has answered is not the vendor."""
        where = self.login.masked(answer.headers.get("Location", ""))
        to = f" to {where}" if where else ""
        return Stop(
            f"{self.url}: the answer is not {self.title}'s, found {self.words(answer)}{to}; check "
            f"--region and --api-host, and whether a proxy or a login page stands in between, then {AGAIN}"
        )


def is_busy(status: int) -> bool:
    """Return whether a status says to ask again later."""
    return status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status in SERVER_ERRORS


def is_page(answer: Answer) -> bool:
    """Return whether an answer is a page for people, which no export API gives."""
    return "html" in answer.headers.get("Content-Type", "").lower() or answer.body.lstrip().startswith(b"<")
