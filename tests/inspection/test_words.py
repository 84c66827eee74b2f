"""What columns are called, and what PostHog calls it."""

import pytest

from migrate.inspection.words import group_of, property_of


@pytest.mark.parametrize(
    ("name", "known"),
    [("Page URL", "$current_url"), ("utmSource", "utm_source"), ("utm_source", None), ("colour", None)],
)
def test_a_property_of_posthog_s_own(name, known):
    """In any spelling; none where it is called so already."""
    assert property_of(name) == known


@pytest.mark.parametrize(
    ("name", "kind"), [("company_id", "company"), ("teamId", "team"), ("team", None), ("x", None)]
)
def test_the_type_of_a_group(name, kind):
    """By the column of its key."""
    assert group_of(name) == kind
