"""Parts of patterns that take all they can and give nothing back, and where a match ends."""

import re


def kept(body: bytes) -> bytes:
    """Return the pattern of any number of `body`s, as many as there are; none is given back for what follows.

    That is `(?:body)*+`, which is wrong before Python 3.11.5: what a last try took before it failed is kept
    (https://github.com/python/cpython/issues/106052). Here each try ends with one that fails at once and takes
    nothing. An atomic group would be right everywhere, at a third of the speed and with 20 bytes for each byte.
    """
    return rb"(?:" + body + rb"|(?!))*+"


def woven(plain: bytes, odd: bytes) -> bytes:
    r"""Return the pattern of any number of `plain` characters and of `odd` ones between them; none is given back.

    `odd` is so many characters, as `\\.` or `""`, told apart from `plain` by its first: it is there or takes nothing.
    """
    return rb"%b*+(?:%b%b*+)*+" % (plain, odd, plain)


def end_of(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Return where the match that begins at `start` ends, `start` itself where there is none."""
    match = pattern.match(data, start)
    return start if match is None else match.end()
