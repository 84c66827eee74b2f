"""What all vendors have in common: who asks is never shown."""

from migrate.fetching.vendor import Login, is_busy


def test_a_login_is_shown_nowhere():
    """Neither in a traceback, nor where a server says it back in any form."""
    login = Login("somebody", "s3cret word")
    echo = f"{login.header} {login.user}:{login.password}\n\x1b[31m"
    assert login.masked(echo) == "Basic *** ***:*** [31m"
    assert repr(login) == "Login()"
    assert Login("only", "").masked("only this") == "*** this"


def test_what_may_pass_is_asked_again():
    """Not what a person has to look at."""
    assert [status for status in (400, 401, 404, 408, 413, 429, 500, 503) if is_busy(status)] == [
        408,
        429,
        500,
        503,
    ]
