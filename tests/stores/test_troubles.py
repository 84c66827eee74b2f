"""Each answer that is none has its sentence: from a real server, through obstore."""

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from migrate.stores.buckets import bucket_of
from migrate.stores.troubles import Trouble, trouble_of_amazon
from migrate.stores.urls import entrusted, parsed


def xml(code):
    """What S3 says with an error."""
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


@pytest.mark.parametrize(
    ("answer", "reason", "why"),
    [
        ((404, xml("NoSuchBucket")), "vanished", "there is no such bucket; check its name, and the endpoint"),
        (
            (401, b""),
            "unreadable",
            "may not be read with these credentials (401); needed are s3:GetObject on the ",
        ),
        (
            (403, xml("InvalidAccessKeyId")),
            "unreadable",
            "these credentials (403 InvalidAccessKeyId); needed are",
        ),
        (
            (301, xml("PermanentRedirect")),
            "unreadable",
            "the bucket lies in another region; set AWS_REGION to its ",
        ),
        (
            (400, xml("ExpiredToken")),
            "unreadable",
            "the storage answers 400 ExpiredToken; see what that means there",
        ),
        (
            (412, b""),
            "changed",
            "was replaced by another object since it was listed; run the same command again",
        ),
    ],
)
def test_an_answer_is_said_with_what_to_do(s3, s3_between, answer, reason, why):
    """In the words of the storage, where it has some of its own, and never with an address."""
    bucket = bucket_of(parsed(s3.url).container)
    # obstore is asked, then botocore, which finds the region by itself.
    for prefix in ("in/", "in//") if answer[0] != 301 else ("in/",):
        s3_between.answers = [answer]
        with pytest.raises(Trouble) as raised:
            list(bucket.entries(prefix))
        assert raised.value.reason == reason
        assert why in raised.value.why
        assert s3.address.rpartition(":")[2] not in raised.value.why


def test_a_web_server_without_ranges_and_one_that_refuses_are_said(s3, s3_between):
    """The signature of an address that is refused is not in the sentence."""
    url = parsed(entrusted(f"{s3_between.address}/dir/a.gz?X-Amz-Signature=secret"))
    bucket = bucket_of(url)
    s3_between.answers = [(200, b"all of it"), (403, b"no")]
    with pytest.raises(Trouble) as raised:
        bucket.entry(url.key)
    assert raised.value.why.startswith("its server gives no parts of a file, and so it cannot be read there;")
    with pytest.raises(Trouble) as raised:
        bucket.entry(url.key)
    assert raised.value.why == (
        "its server does not give it to this address (403); where the address is signed, name the input with a new "
        "signature, as it is kept nowhere"
    )
    del s3


def test_a_key_that_cannot_be_held_is_named():
    """A screen takes its name."""
    assert Trouble.misnamed('in/"a\x1b[2J\tb".txt').why == (
        "a key with an empty part, '.', '..' or a control character in it cannot be held here, found "
        "'in/\"a\\x1b[2J\\tb\".txt'; rename that object, or name a folder in which there is none"
    )


@pytest.mark.parametrize(
    ("error", "is_busy", "why"),
    [
        (
            exceptions.ConnectTimeoutError(endpoint_url="secret"),
            True,
            "the storage gives no answer (TimedOut); run the same command again later",
        ),
        (exceptions.SSLError(endpoint_url="secret", error="secret"), True, "no answer (certificate); run"),
        (
            exceptions.EndpointConnectionError(endpoint_url="secret"),
            True,
            "the storage gives no answer; run",
        ),
        (exceptions.ConnectionClosedError(endpoint_url="secret"), True, "the storage gives no answer; run"),
        (exceptions.NoCredentialsError(), False, "the credentials for it cannot be had; see to them"),
        (
            exceptions.CredentialRetrievalError(provider="secret", error_msg="secret"),
            False,
            "the credentials for it cannot be had; see to them",
        ),
        (ResponseParserError("secret"), False, "its answer cannot be understood"),
        (exceptions.ParamValidationError(report="secret"), False, "there is no such bucket; check its name"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_an_error_of_amazons_client_is_said_without_its_words(error, is_busy, why):
    """They hold the address."""
    found = trouble_of_amazon(error, is_body=False)
    assert (found.is_busy, "secret" in found.why) == (is_busy, False)
    assert why in found.why
    assert trouble_of_amazon(exceptions.ReadTimeoutError(endpoint_url="secret"), is_body=True).is_cut
