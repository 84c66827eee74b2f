"""An answer of a storage that is none → why, in a word and a sentence; never with the address, which may be signed."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, Self

from migrate.screen import shown

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_WORD: Final = re.compile(r"[A-Za-z]{1,60}")
_AMAZON: Final = (
    *(("Credential", "credential"), ("Token", "credential"), ("SSO", "credential")),
    *(("Timeout", "TimedOut"), ("SSL", "certificate")),
)
"""A part of the name of an error of botocore's → the word of obstore's for it."""
_BAD_KEY: Final = re.compile(r'[Pp]ath "(.{1,1100}?)"(?::|$| )', re.DOTALL)
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_SUCCESS: Final = range(200, 300)
_RIGHTS: Final = {
    "s3": "s3:GetObject on the objects and s3:ListBucket on the bucket",
    "gs": "storage.objects.get and storage.objects.list (Storage Object Viewer)",
    "az": "Storage Blob Data Reader on the container",
}


class Trouble(Exception):  # noqa: N818 - the word says what happened
    """Why something cannot be read of a storage: `reason` is a word, `why` a sentence without its beginning.

    `is_busy`: the storage gave no answer at all, or says that it is busy or at fault, and may give one if it is asked
    again. `is_cut`: an answer that had begun broke off.
    """

    def __init__(self, reason: str, why: str, *, is_busy: bool = False, is_cut: bool = False) -> None:
        super().__init__(why)
        self.reason, self.why, self.is_busy, self.is_cut = reason, why, is_busy, is_cut

    @classmethod
    def changed(cls) -> Self:
        """Return that another object is there than was listed."""
        return cls(
            "changed", "was replaced by another object since it was listed; run the same command again"
        )

    @classmethod
    def cut(cls, place: int) -> Self:
        """Return that the connection was cut, where nothing helps any more."""
        why = f"the connection was cut again and again at byte {place:,}; run the same command again"
        return cls("unreadable", why, is_cut=True)

    @classmethod
    def misnamed(cls, key: str | None) -> Self:
        """Return that a key cannot be held here."""
        name = shown(key).replace("\n", "\\n").replace("\t", "\\t") if key is not None else ""
        found = f", found '{name}'" if key is not None else ""
        what = "a key with an empty part, '.', '..' or a control character in it"
        why = (
            f"{what} cannot be held here{found}; rename that object, or name a folder in which there is none"
        )
        return cls("unreadable", why)

    @classmethod
    def whole(cls) -> Self:
        """Return that a server gives whole files alone."""
        why = "its server gives no parts of a file, and so it cannot be read there; download it, and name the file"
        return cls("unreadable", why)


class _Told(NamedTuple):
    """What an error of obstore's, or of botocore's, says."""

    kind: str
    text: str
    status: int
    """Of the answer; 0 where there was none."""
    code: str
    """The storage's own word, as S3 and those like it have one."""
    scheme: str

    @property
    def answer(self) -> str:
        """What the storage answered, in a few characters."""
        return " ".join(filter(None, (str(self.status or ""), self.code)))


def trouble(error: Exception, scheme: str) -> Trouble:
    """Return what an error of obstore's means; its own text holds the address, and is never shown."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    kind = type(error).__name__
    return _meant(_Told(kind, text, int(status[1]) if status else 0, code[1] if code else "", scheme))


def trouble_of_amazon(error: Exception, *, is_body: bool) -> Trouble:
    """Return the same of an error of botocore's; `is_body`: an answer has begun."""
    kind, answer = type(error).__name__, getattr(error, "response", None) or {}
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = str(answer.get("Error", {}).get("Code", ""))
    if kind == "ParamValidationError":  # of a bucket's name that none can have
        status, code = 404, "NoSuchBucket"
    text = "Body" if is_body else next((words for name, words in _AMAZON if name in kind), "")
    return _meant(_Told(kind, text, status, code if _WORD.fullmatch(code) else "", "s3"))


def _meant(told: _Told) -> Trouble:
    return next(meant for is_it, meant in _MEANINGS if is_it(told))(told)


def _gone(told: _Told) -> Trouble:
    if told.code == "NoSuchBucket":
        return Trouble("vanished", "there is no such bucket; check its name, and the endpoint")
    return Trouble("vanished", "is not there; check the address")


def _changed(_: _Told) -> Trouble:
    return Trouble.changed()


def _denied(told: _Told) -> Trouble:
    found = f" ({told.answer})" if told.answer else ""
    if told.scheme in _RIGHTS:
        why = f"may not be read with these credentials{found}; needed are {_RIGHTS[told.scheme]}"
    else:
        why = (
            f"its server does not give it to this address{found}; where the address is signed, name the input with a "
            "new signature, as it is kept nowhere"
        )
    return Trouble("unreadable", why)


def _misnamed(told: _Told) -> Trouble:
    key = _BAD_KEY.search(told.text)
    return Trouble.misnamed(key[1] if key else None)


def _elsewhere(_: _Told) -> Trouble:
    return Trouble("unreadable", "the bucket lies in another region; set AWS_REGION to its region")


def _no_ranges(_: _Told) -> Trouble:
    return Trouble.whole()


def _answered(told: _Told) -> Trouble:
    is_busy = told.status in _PASSING
    why = f"the storage answers {told.answer}; "
    why += "run the same command again later" if is_busy else "see what that means there"
    return Trouble("unreadable", why, is_busy=is_busy)


def _without_credentials(_: _Told) -> Trouble:
    return Trouble("unreadable", "the credentials for it cannot be had; see to them (docs/storage.md)")


def _garbled(_: _Told) -> Trouble:
    why = "its answer cannot be understood; check the endpoint, or name a folder that holds other keys"
    return Trouble("unreadable", why)


def _cut(_: _Told) -> Trouble:
    return Trouble("unreadable", "the connection was cut; run the same command again", is_cut=True)


def _unanswered(told: _Told) -> Trouble:
    words = ("Connection refused", "dns error", "certificate", "TimedOut")
    found = next((f" ({word})" for word in words if word.lower() in told.text.lower()), "")
    return Trouble(
        "unreadable", f"the storage gives no answer{found}; run the same command again later", is_busy=True
    )


_MEANINGS: Final[tuple[tuple[Callable[[_Told], bool], Callable[[_Told], Trouble]], ...]] = (
    (lambda told: told.kind in {"FileNotFoundError", "NotFoundError"} or told.status in {404, 410}, _gone),
    (lambda told: told.kind == "PreconditionError" or told.status == 412, _changed),  # noqa: PLR2004 - of HTTP
    (
        lambda told: (
            told.kind in {"PermissionError", "PermissionDeniedError", "UnauthenticatedError"}
            or told.status in {401, 403}
        ),
        _denied,
    ),
    (lambda told: told.kind in {"ValueError", "UnicodeEncodeError", "InvalidPathError"}, _misnamed),
    (lambda told: "without LOCATION" in told.text or told.status in {301, 307}, _elsewhere),
    (lambda told: told.kind == "NotSupportedError" or told.status in _SUCCESS, _no_ranges),
    (lambda told: bool(told.status), _answered),
    (lambda told: "credential" in told.text.lower(), _without_credentials),
    (lambda told: "Body" in told.text, _cut),
    (lambda told: "ParserError" in told.kind, _garbled),
    (lambda _: True, _unanswered),
)
"""The first that fits is what an error means."""
