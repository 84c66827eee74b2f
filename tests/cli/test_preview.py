"""The first payloads as they would be sent, and why other rows make none."""

import json
import re
from collections import Counter

import pytest
from commands import migrate, rows, summary


def test_preview_prints_payloads_to_stdout_only(tmp_path):
    """One JSON object a line, as it would be sent."""
    source = rows(tmp_path / "in" / "a.jsonl", 10)
    done = migrate("preview", "posthog", source, "--limit", "4")
    assert [json.loads(line)["properties"]["n"] for line in done.stdout.splitlines()] == [0, 1, 2, 3]


def odd_rows(path):
    """Write rows of every kind: events, unreadable ones, filtered ones, rejected ones."""
    sound = {"event": "e", "distinct_id": "u", "timestamp": "2024-04-03T12:00:00Z", "properties": {"n": 1}}
    lines = [
        sound,
        "not json",
        sound | {"event": "$snapshot"},
        sound | {"timestamp": "soon"},
        sound | {"properties": 5},
        sound | {"timestamp": "2020-01-01T00:00:00Z"},
        sound,
    ]
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in lines))
    return path


LEFT, ALL = ({"rejected": rejected, "filtered": 1} for rejected in (3, 4))


def test_preview_says_of_every_row_why_it_makes_no_event(tmp_path):
    """On stderr, in the file's order and the words of the dry run; stdout has payloads alone."""
    source = odd_rows(tmp_path / "a.jsonl")
    done = migrate("preview", "posthog", source, "--since", "2024-01-01")
    assert [json.loads(line)["properties"]["n"] for line in done.stdout.splitlines()] == [1, 1]
    assert done.stderr.splitlines() == [
        f"{source}:2: rejected: malformed_json, found \"not json\", character 1: expecting value, found 'n'",
        f"{source}:3: filtered: replay_and_heatmap",
        f'{source}:4: rejected: bad_timestamp, found "soon"',
        f'{source}:5: rejected: bad_json, found "properties: 5"',
        f"{source}:6: filtered: before_since",
        "5 of the first 7 rows make no event: 3 rejected, 2 filtered",
    ]


@pytest.mark.parametrize(
    ("limit", "events", "left_out"),
    [(1, 1, {}), (2, 1, {"rejected": 1}), (5, 1, LEFT), (6, 2, LEFT), (99, 2, ALL)],
)
def test_first_rows_of_a_preview_are_those_that_cannot_be_read_too(tmp_path, limit, events, left_out):
    """`--limit` counts rows as the file has them, over all files, and no more than there are."""
    source = odd_rows(tmp_path / "1.jsonl")
    lines = source.read_text().splitlines(keepends=True)
    source.write_text("".join(lines[:5]))
    (tmp_path / "2.jsonl").write_text("".join([lines[6], lines[1]]))
    done = migrate("preview", "posthog", tmp_path, "--limit", limit)
    assert len(done.stdout.splitlines()) == events
    kinds, count = ", ".join(f"{n} {kind}" for kind, n in left_out.items()), sum(left_out.values())
    last = [f"{count} of the first {min(limit, 7)} rows make no event: {kinds}"] if left_out else []
    if limit <= 5:
        beyond = f"beyond the first {limit} rows; raise --limit, or preview it alone"
        last.append(f"{tmp_path / '2.jsonl'}: {beyond}")
    assert done.stderr.splitlines()[count:] == last
    assert done.stderr.count("/2.jsonl:2: rejected: malformed_json") == (limit > 6)


@pytest.mark.parametrize(
    ("limit", "beyond"), [(3, "2.jsonl and 1 more"), (4, "3.jsonl"), (5, None), (9, None)]
)
def test_preview_names_the_files_that_lie_beyond_its_limit(tmp_path, limit, beyond):
    """Else one takes what is shown for all there is; of a file that is shown in part the limit itself tells."""
    for name, count in (("1", 3), ("2", 1), ("3", 2)):
        rows(tmp_path / f"{name}.jsonl", count)
    done = migrate("preview", "posthog", tmp_path, "--limit", limit)
    them = "them" if limit == 3 else "it"
    said = f"{tmp_path}/{beyond}: beyond the first {limit} rows; raise --limit, or preview {them} alone\n"
    assert done.stderr == (said if beyond else "")


@pytest.mark.parametrize("full", [False, True])
def test_a_file_without_rows_is_not_beyond_the_limit(tmp_path, full):
    """Where as many rows are shown as there are; a file with rows behind it is named alone."""
    columns = "event,distinct_id,timestamp,a\n"
    for name, text in (("1", "e,u,2024-04-03T12:00:00Z,1\n"), ("2", ""), ("3", "x\n" * full), ("4", "")):
        (tmp_path / f"{name}.csv").write_text(columns + text)
    done = migrate("preview", "posthog", tmp_path, "--limit", 1)
    said = f"{tmp_path}/3.csv: beyond the first 1 rows; raise --limit, or preview it alone\n"
    assert (len(done.stdout.splitlines()), done.stderr) == (1, said if full else "")


def test_preview_and_dry_run_say_the_same(tmp_path):
    """Of as many rows as there are, by rule and reason."""
    source = odd_rows(tmp_path / "a.jsonl")
    source.write_text(source.read_text() * 30)
    words = [source, "--since", "2024-01-01"]
    shown = migrate("preview", "posthog", *words, "--limit", "1000").stderr.splitlines()
    counted = Counter(re.search(r": ((?:filtered|rejected): \w+)", line)[1] for line in shown[:-1])
    rows = summary(migrate("run", "posthog", *words, "--dry-run", "--json"))["rows"]
    assert counted == {
        f"{kind}: {name}": count for kind in ("filtered", "rejected") for name, count in rows[kind].items()
    }
    rejected, filtered = (sum(rows[kind].values()) for kind in ("rejected", "filtered"))
    kinds = f"{rejected} rejected, {filtered} filtered"
    assert shown[-1] == f"{rejected + filtered} of the first {rows['read']} rows make no event: {kinds}"


def test_a_row_that_tells_of_a_group_is_not_said_to_be_left_out(tmp_path):
    """What it tells comes after the rows, put together with what others tell; the last line has it as the others do."""
    call = {"type": "group", "messageId": "m", "anonymousId": "a", "timestamp": "2024-04-03T12:00:00Z"}
    call |= {"groupId": "g", "traits": {"name": "Acme"}, "context": {}}
    (tmp_path / "a.jsonl").write_text(json.dumps(call) + "\n")
    done = migrate("preview", "segment", tmp_path / "a.jsonl")
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()] == ["$groupidentify"]
    assert done.stderr.splitlines() == [
        f"{tmp_path / 'a.jsonl'}:1: mapped: tells of a person or a group, shown after the rows",
        "1 of the first 1 row makes no event: 1 mapped, only telling of a person or a group",
    ]
    pretty = migrate("preview", "segment", tmp_path / "a.jsonl", "--pretty")
    assert pretty.stdout.count("no event: mapped: tells of a person") == 1
    assert pretty.stderr == done.stderr.split("\n", 1)[1]


def test_mended_rows_keep_their_tables(tmp_path):
    """Rows of several files stand in one rejects.jsonl; each is of the table it came from, and named by its file."""
    folder, workdir, fixed = tmp_path / "in", tmp_path / "w", tmp_path / "fixed.jsonl"
    folder.mkdir()
    for name, number in (("signed_up", 1), ("paid", 2)):
        (folder / f"{name}.csv").write_text(f"event_id,user_id,time,session_id\n{number},7,soon,9\n")
    assert migrate("plan", "heap", folder, "--workdir", workdir).returncode == 3
    fixed.write_text((workdir / "rejects.jsonl").read_text().replace("soon", "2024-04-03 12:00:00"))
    done = migrate("preview", "heap", fixed)
    assert sorted(json.loads(line)["event"] for line in done.stdout.splitlines()) == ["paid", "signed_up"]


def test_files_that_are_passed_over_are_named(tmp_path):
    """The first of them by reason, as on other screens; with -v all of them."""
    rows(tmp_path / "in" / "z.jsonl", 1)
    for name in ("a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl", ".hidden"):
        (tmp_path / "in" / name).touch()
    shown = migrate("preview", "posthog", "in", cwd=tmp_path)
    assert shown.returncode == 0
    first = ", ".join(f"{tmp_path}/in/{name}.jsonl" for name in "abc")
    assert shown.stderr.splitlines() == [
        f"skipped  4 files, not read: empty  ({first}, …)",
        f"skipped  1 file, not read: hidden  ({tmp_path}/in/.hidden)",
    ]
    every = migrate("preview", "posthog", "in", "-v", cwd=tmp_path).stderr.splitlines()
    assert sorted(every) == [
        f"passed over: {tmp_path}/in/{name}: {reason}"
        for name, reason in (
            (".hidden", "hidden"),
            *((f"{name}.jsonl", "empty") for name in "abcd"),
        )
    ]
