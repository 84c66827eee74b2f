"""Keys that obstore cannot hold: those of S3 are listed, looked up and read through Amazon's client, as it would."""

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from migrate.errors import UsageError
from migrate.stores.credentials import Aws, missing
from migrate.stores.opening import CONNECTED, HEARD
from migrate.stores.troubles import Trouble, trouble_of_amazon
from migrate.stores.urls import Url

_ODD: Final = re.compile(r"(?:^|/)\.{0,2}(?:/|$)|[\x00-\x1f\x7f]")
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def is_odd(key: str) -> bool:
    """Return whether a key has an empty part, as a slash at an end makes one, `.`, `..` or a control character in it.

    obstore refuses them, but for a slash at an end, which it leaves out.
    """
    return _ODD.search(key) is not None


class Page(NamedTuple):
    """A part of a listing, each object as obstore tells of it."""

    objects: Sequence[Mapping[str, Any]]
    token: str
    """What the next part is asked for with; empty at the end."""


class _Got(NamedTuple):
    """A range of an object, as obstore gives it."""

    meta: Mapping[str, Any]
    range: tuple[int, int]
    body: Any
    odd: "OddKeys"

    def stream(self, min_chunk_size: int) -> Iterator[bytes]:
        """Yield its bytes."""
        with self.odd.telling(is_body=True):
            yield from self.body.iter_chunks(min_chunk_size)


class OddKeys:
    """A bucket of S3, asked once for each question; what is asked raises `Trouble`."""

    def __init__(self, url: Url) -> None:
        """Raise UsageError where it cannot be opened."""
        aws = Aws(url.place)
        try:
            botocore: Any = importlib.import_module("botocore.session")
            config: Any = importlib.import_module("botocore.config")
            errors: Any = importlib.import_module("botocore.exceptions")
            parsers: Any = importlib.import_module("botocore.parsers")
            of_http: Any = importlib.import_module("urllib3.exceptions")
        except ImportError:
            raise UsageError(missing(url.place)) from None
        self._bucket = url.host
        self._errors = (
            *(errors.ClientError, errors.BotoCoreError, parsers.ResponseParserError, of_http.HTTPError),
            *(OSError, ValueError),
        )
        more = {} if aws.is_signed else {"signature_version": importlib.import_module("botocore").UNSIGNED}
        how = config.Config(
            connect_timeout=CONNECTED,
            read_timeout=HEARD,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            ignore_configured_endpoint_urls=True,  # obstore is asked where Aws says, too
            response_checksum_validation="when_required",
            max_pool_connections=16,
            **more,
        )
        # A profile that is named for others need not be there where the environment has the key.
        variables = {"profile": (None,) * 4} if aws.provider is None else {}
        with self.telling():
            self._client = botocore.Session(session_vars=variables).create_client(
                "s3", region_name=aws.region or "us-east-1", endpoint_url=aws.endpoint, config=how
            )

    @contextmanager
    def telling(self, *, is_body: bool = False) -> Iterator[None]:
        """Turn an error of botocore's into `Trouble`; `is_body`: an answer has begun."""
        try:
            yield
        except self._errors as error:
            raise trouble_of_amazon(error, is_body=is_body) from None

    def page(self, prefix: str, *, after: str, token: str, most: int) -> Page:
        """Return the next objects whose keys begin so: at first those behind a key, then those of a token."""
        given = {"StartAfter": after, "ContinuationToken": token}
        more = {name: text for name, text in given.items() if text}
        with self.telling():
            found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=most, **more)
        objects = [_meta(one, one["Size"]) | {"path": one["Key"]} for one in found.get("Contents", ())]
        return Page(objects, found.get("NextContinuationToken", "") if found.get("IsTruncated") else "")

    def head(self, key: str) -> Mapping[str, Any]:
        """Return what there is to tell of an object."""
        with self.telling():
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        return _meta(found, found["ContentLength"])

    def get(self, key: str, options: Mapping[str, Any]) -> _Got:
        """Return a range of an object; the options are obstore's."""
        start, end = options["range"]
        more = {"IfMatch": options["if_match"]} if "if_match" in options else {}
        with self.telling():
            found = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={start}-{end - 1}", **more
            )
        told = _RANGE.fullmatch(found.get("ContentRange", ""))
        if told is None:
            found["Body"].close()
            raise Trouble.whole()
        return _Got(_meta(found, int(told[3])), (int(told[1]), int(told[2]) + 1), found["Body"], self)


def _meta(found: Mapping[str, Any], size: int) -> dict[str, Any]:
    """Return what obstore tells of an object by what Amazon's client does."""
    return {
        "size": size,
        "e_tag": found.get("ETag"),
        "version": found.get("VersionId"),
        "last_modified": found.get("LastModified"),
    }
