"""What a user's own rules did not mean is told, as names that a source has are often other than those one knows."""

import json
from collections import Counter

from migrate.report import ruled
from migrate.rules.declared import read
from migrate.rules.frames import Ruling

NEAR = {
    "$email": True,
    "context_traits_EMAIL": True,
    "user.email": True,
    "email": False,
    "voicemail": False,
    "email_count": False,
    "work_email": False,
}


def test_what_ends_like_a_name_to_be_left_out_and_goes_is_told():
    """As a source's own names are often the mapping's behind something; not what a rule means by a pattern."""
    rules = Ruling.of(read({"drop": ["email"], "drop_anywhere": ["work*"], "rename": {"a": "b"}}, "f"))
    rules.bags.told(json.dumps(NEAR), Counter())
    near = sorted(name for name, is_near in NEAR.items() if is_near)
    assert [*ruled.near(rules)] == [
        f'[rules]: email does not mean {", ".join(near)}: sent as it is; "*email" would mean it, too'
    ]
    assert [*ruled.near(None), *ruled.unmet(None)] == []


def test_rules_that_found_nothing_are_told():
    """So that a slip of the pen is seen; of many names the first."""
    rules = Ruling.of(
        read({"drop": [f"n{number}" for number in range(7)], "hash": ["n"], "hash_salt": "s" * 16}, "f")
    )
    rules.bags.told('{"n":1}', Counter())
    assert [*ruled.unmet(rules)] == ["[rules]: nothing in these rows of: drop n0, n1, n2, n3, n4 and 2 more"]
