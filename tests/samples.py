"""The samples of all platforms, and what each is planned with."""

import os
from pathlib import Path

from migrate.inputs.listing import sources
from migrate.kit.declare import Options
from migrate.readers.headers import read_header
from migrate.settings import Settings

SAMPLES = Path(__file__).parent.parent / "sample_data"
SHARED = Path(__file__).parents[2] / "shared"
"""Real rows and odd inputs, beside the project where it is developed; what needs them is skipped elsewhere."""
PLATFORMS = sorted(path.name for path in SAMPLES.iterdir())
EVERY = "EVERY" in os.environ
SEVERAL = (
    PLATFORMS
    if EVERY
    else ["amplitude", "ga4", "matomo", "pendo", "posthog", "segment", "snowplow", "table", "umami"]
)
"""What the framework promises of any mapping is tried on these, and on all with `EVERY=1`.

Between them they have bags, nested and unfolded records, files without a header, joins, rows that know of others',
groups, profiles, links, states.
"""


def some(cases, count):
    """So many of the cases, from the first to the last of them; all with `EVERY=1`."""
    cases = list(cases)
    if EVERY or len(cases) <= count:
        return cases
    return [cases[number * (len(cases) - 1) // (count - 1)] for number in range(count)]


def examples(count):
    """How many examples Hypothesis tries of what deserves so many; all with `EVERY=1`."""
    return count if EVERY else max(10, count // 3)


FEW = PLATFORMS if EVERY else ["amplitude", "ga4", "posthog", "segment", "table"]
"""What is dear is tried on these: nested records, rows of one event, groups, links, profiles, a spec's joins."""


def settings(platform, **options):
    """What a platform's sample is planned with."""
    return Settings(platform=platform, spec=spec(platform), options=Options(**options))


def spec(platform):
    """The sample's spec, where the platform needs one."""
    path = SAMPLES / platform / "spec.toml"
    return path if path.exists() else None


def recognised(platform, mapping):
    """The files of a platform's sample without their endings, each with the table that takes it."""
    found = {}
    for source in sources([str(SAMPLES / platform)]).sources:
        head = read_header(source)
        table = head and mapping.table_for(head.columns, source.stem)
        found[source.stem] = table and table.name
    return found
