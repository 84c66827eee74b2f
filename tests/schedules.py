"""What `migrate schedule` prints, for tests: a night, odd paths, and the golden of each scheduler's units.

The goldens are `tests/golden/schedules/*.txt`. To renew them after a change, `python tests/schedules.py`, then read the
difference and keep it.
"""

import re
from datetime import time
from pathlib import Path
from typing import get_args

from hypothesis import strategies as st

from migrate.cli.nights import Scheduler
from migrate.cli.units import Night, units

SCHEDULERS = get_args(Scheduler)
GOLDENS = Path(__file__).parent / "golden" / "schedules"

ODD = """a b%h\\%\\\\\\x\\'"$HOME`id`$(id)${{ github.token }}@name@#;&*[é\u00a0\u3000\u200b{}:~"""
NAMES = st.text(
    st.one_of(
        st.sampled_from("""%\\'"$`@{}()*[]?;#&!~:= """),
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/"),
    ),
    min_size=1,
    max_size=20,
).filter(lambda name: name not in {".", ".."})
"""Names of files and folders that a unit can hold."""


def night(**other):
    """A night as somebody may have it."""
    usual = {
        "config": Path("/home/me/acme/migrate.toml"),
        "command": "/home/me/migrate/.venv/bin/migrate",
        "at": time(2, 30),
        "zone": "Europe/Berlin",
        "image": "posthog-migrate:0.1.0",
    }
    return Night(**usual | other)


def odd(name):
    """A night all of whose paths hold this name."""
    return {"config": Path("/at") / name / f"{name}.toml", "command": f"/bin/{name}/migrate"}


def printed(scheduler, **other):
    """What is printed for it."""
    return "\n".join(units(scheduler, night(**other)).values())


def script(text):
    """The lines of the shell in a unit of YAML."""
    (block,) = re.findall(r"^( *)(?:- |run: )\|\n((?:\1 .*\n)+)", text, re.MULTILINE)
    return block[1]


if __name__ == "__main__":
    GOLDENS.mkdir(exist_ok=True)
    for name in SCHEDULERS:
        (GOLDENS / f"{name}.txt").write_text(printed(name), encoding="utf-8")
