"""One value of a property → what stands in its place: hashed, or an address without its last part."""

import hashlib
import hmac
import ipaddress
import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import msgspec

from migrate.jsontext.canonical import canonical_number, canonical_text
from migrate.jsontext.parse import Raw, encoded

_MOST_DIGITS: Final = 25
_NULL: Final = b"null"
_IPV4: Final = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}")
_KEPT_BITS: Final = 48
"""Of an IPv6 address: the network a provider gives to one customer's region."""
_KEPT_OF_6TO4: Final = 16 + 24
"""Of an IPv6 address that holds an IPv4 one behind its first 16 bits."""
_list: Final = msgspec.json.Decoder(list[Raw]).decode
_text: Final = msgspec.json.Decoder(str).decode


class Hash:
    """HMAC-SHA-256 of values under a salt, as 64 hexadecimal digits; the salt is in no repr."""

    def __init__(self, salt: str) -> None:
        self._salt = salt.encode()
        self._one = lru_cache(maxsize=65_536)(self._hashed)

    def of(self, raw: Raw) -> Raw:
        """Return what stands in the place of a JSON value: of a list each of its values by itself; null stays.

        A text is hashed as its bytes in UTF-8, a whole number as its digits, all else in its canonical form.
        """
        return Raw(self._one(bytes(raw)))

    def _hashed(self, raw: bytes) -> bytes:
        if raw == _NULL:
            return raw
        if raw.startswith(b"["):
            return encoded([Raw(self._hashed(bytes(one))) for one in _list(raw)])
        if raw.startswith(b'"'):
            value = _text(raw).encode("utf-8", "surrogatepass")
        elif raw.startswith(b"{"):
            value = canonical_text(raw.decode()).encode()
        else:
            value = _digits(raw.decode()).encode()
        return b'"' + hmac.digest(self._salt, value, hashlib.sha256).hex().encode() + b'"'


def _digits(text: str) -> str:
    """Return a number as it is hashed, `7` also of `7.0`; true and false as they are."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    is_whole = number.adjusted() < _MOST_DIGITS and number == number.to_integral_value()
    return f"{int(number)}" if is_whole else canonical_number(text)


def trace(salt: str) -> str:
    """Return a few digits by which it is seen that a salt is another one; they do not tell which."""
    return hmac.digest(salt.encode(), b"migrate: is it the same salt?", hashlib.sha256).hex()[:8]


def shortened(raw: Raw) -> Raw | None:
    """Return an IP address without what tells one machine from another: IPv4 /24, IPv6 /48; None for all else.

    Of a list each address is shortened, and what is none is left out.
    """
    text = bytes(raw)
    if text.startswith(b"["):
        found = (shortened(one) for one in _list(text))
        return Raw(encoded([one for one in found if one is not None]))
    if not text.startswith(b'"'):
        return None
    short = _network(_text(text).strip())
    return None if short is None else Raw(encoded(short))


@lru_cache(maxsize=65_536)
def _network(address: str) -> str | None:
    """Return the first address of the network that an address is in, None where it is none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        bits = _KEPT_BITS if found.sixtofour is None else _KEPT_OF_6TO4
        return str(ipaddress.ip_network((int(found), bits), strict=False).network_address)
    four = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else found
    match = _IPV4.fullmatch(str(four))
    return None if match is None else f"{match[1]}.0"
