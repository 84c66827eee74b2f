"""Text that is not what its start shows is found out by who reads it, and comes to what it came to before."""

import json
import shutil
from dataclasses import replace

import pytest
from crews import Planned
from samples import SAMPLES, settings

from migrate.inputs.stored import stamp_now
from migrate.plan.executors import Inline
from migrate.plan.processes import Processes
from migrate.workdir.checkpoint import Checkpoint

ODD = {
    "few": lambda text: text.replace(b"K\xc3\xa4ufe", b"K\xe4ufe", 1),
    "many": lambda text: text.replace(b"K\xc3\xa4ufe", b"K\xe4ufe"),
    "torn": lambda text: text[: len(text) // 3] + bytes(len(text) - len(text) // 3),
    "none": lambda text: text,
}
"""What becomes of a text in which a character that is not ASCII stands in each line."""


def lines(name, count):
    """So many events."""
    rows = (
        {
            "event": "Käufe",
            "distinct_id": f"{name}{n}",
            "timestamp": f"2024-04-{n % 3 + 1:02}T10:00:00Z",
            "uuid": f"{name}{n}",
        }
        for n in range(count)
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def unsettled(work):
    """The same, of whose files only the start is known."""
    headers = [replace(job.header, encoding="utf-8", is_unsettled=True) for job in work.jobs]
    jobs = [replace(job, header=header) for job, header in zip(work.jobs, headers, strict=True)]
    return replace(work, jobs=jobs)


def passed_over(folder):
    """What a plan says was passed over, and set aside with which stamp."""
    with Checkpoint.open(folder) as checkpoint:
        facts = checkpoint.facts()
        aside = {
            name: (one.reason, one.stamp == stamp_now(name)) for name, one in checkpoint.set_aside().items()
        }
        return facts["skipped"], facts["skipped_names"], aside


@pytest.mark.parametrize("executor", ["threads", "slices", "processes"])
def test_odd_text_comes_to_the_same_as_if_it_had_been_looked_through_before(tmp_path, executor):
    """Of small files that are planned together, and of one that is cut, in any of its slices: aside, or mended."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, odd in ODD.items():
        (folder / f"{name}.jsonl").write_bytes(odd(lines(name, 150)))
        large = lines(f"{name}-large", 600)
        (folder / f"{name}-large.jsonl").write_bytes(
            large[:-30_000] + odd(large[-30_000:]) if name != "torn" else odd(large)
        )
    given, chosen = [str(folder)], settings("posthog")
    executors = {
        "threads": Inline(2),
        "slices": Inline(2, slice_bytes=8_000),
        "processes": Processes(2, slice_bytes=8_000),
    }
    before = Planned(tmp_path / "before", chosen.work(given), Inline(1))
    later = chosen.work(given, anew=())
    assert [job.source.stem for job in later.jobs if not job.header.is_unsettled] == ["few-large"]
    found = Planned(tmp_path / "w", unsettled(later), executors[executor])
    assert found.payloads == before.payloads
    for name in ("numbers", "rejects", "warnings", "people"):
        assert getattr(found, name) == getattr(before, name), name
    assert {*found.inputs} == {*before.inputs}
    assert passed_over(tmp_path / "w") == passed_over(tmp_path / "before")
    assert {name: reason for name, (reason, _) in passed_over(tmp_path / "w")[2].items()} == {
        str(folder / f"{name}.jsonl"): reason
        for name, reason in {
            "many": "wrong_encoding",
            "many-large": "wrong_encoding",
            "torn": "nul_bytes",
            "torn-large": "nul_bytes",
        }.items()
    }


def test_an_encoding_that_a_platform_says_is_found_further_on(tmp_path):
    """Behind what was read of the file before; its rows are planned in it from the first on."""
    source = SAMPLES / "adobe" / "garten_2024-04-03"
    folder = tmp_path / "garten_2024-04-03"
    shutil.copytree(source, folder)
    shutil.copy(source.with_suffix(".txt"), tmp_path)
    hits = (folder / "hit_data.tsv").read_bytes()
    (folder / "hit_data.tsv").write_bytes(hits.replace(b"garten", b"g\xe4rten"))
    chosen = settings("adobe")
    before = chosen.work([str(tmp_path)])
    assert [job.header.encoding for job in before.jobs if job.source.stem == "hit_data"] == ["latin-1"]
    works = {"before": before, "w": unsettled(before)}
    one, two = (Planned(tmp_path / name, work, Inline(1)) for name, work in works.items())
    assert one.payloads == two.payloads
    assert one.numbers == two.numbers
