"""A value of somebody's data → as a screen shows it: without what opens a door or pays, by its name or its shape."""

import re
from typing import Final

_HIDDEN: Final = "***"
_NAME: Final = re.compile(
    r"(^|_)([a-z]*(password|passwd|passphrase|secret|credentials?)|pass|pwd|[a-z]*token|bearer|authori[sz]ation|auth"
    r"|[a-z]*api_?key|(private|access|secret|signing)_?key|jwt|otp|pin|cvv|cvc|ssn|social_?security(_?\w+)?|iban"
    r"|((credit|debit)_?)?card|((credit|debit|pay(ment)?)_?)?card_?(number|num|no)|pan|[a-z]*cookies?)"
    r"(_(hash|value|id|number|no|key|header))?$"
)
"""What columns are called that hold a secret, their words in lower case with lines between them."""
_SHAPES: Final = re.compile(
    r"(?i:\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"
    r"|\b(?:sk|rk|pk)_(?:live|test)_\w{8,}|\bsk-[\w-]{16,}"
    r"|\b(?:gh[pousr]_|github_pat_)\w{16,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{8,}|\bAIza[\w-]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL,
)
"""Tokens as they are sent and as services make them, and a password in an address."""
_CARD: Final = re.compile(r"(?<![\w.-])[3-6]\d{3}(?:[ -]?\d){9,15}(?![\w.-])")
_MEMBER: Final = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:\s*)("(?:[^"\\]|\\.)*"|[^\s,{}\[\]"]+)')
_PARAMETER: Final = re.compile(r"([?&;#])([\w.-]+)=([^&;#\s]+)")


def is_secret(name: str) -> bool:
    """Return whether a column, a key or a parameter is called like one that holds a secret."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).strip("_").lower()
    return _NAME.search(words) is not None


def veiled(text: str, name: str = "") -> str:
    """Return a value without the secrets in it; `name`: the column that it is of."""
    if is_secret(name):
        return _HIDDEN if text else ""
    text = _MEMBER.sub(lambda one: f'{one[1]}{one[2]}"{_HIDDEN}"' if is_secret(one[1]) else one[0], text)
    text = _PARAMETER.sub(lambda one: f"{one[1]}{one[2]}={_HIDDEN}" if is_secret(one[2]) else one[0], text)
    return _CARD.sub(lambda one: _HIDDEN if _is_card(one[0]) else one[0], _SHAPES.sub(_HIDDEN, text))


def _is_card(text: str) -> bool:
    """Return whether the last digit of a number is the one that cards have (Luhn)."""
    digits = [int(sign) for sign in reversed(text) if sign.isdecimal()]
    twice = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(twice)) % 10 == 0
