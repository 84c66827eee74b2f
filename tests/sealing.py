"""The command line, perhaps as a process that is killed on the way, and what it leaves: for tests."""

import json

import commands
import forked

KILLED = """
import os, signal, sys
from pkgutil import resolve_name
owner, kept = resolve_name("migrate.{owner}"), resolve_name("migrate.{owner}.{name}")
calls = []
def killed(*given, **more):
    calls.append(1)
    if len(calls) > {after}:
        {how}
    return kept(*given, **more)
setattr(owner, "{name}", killed)
sys.argv = ["migrate", *sys.argv[1:]]
from migrate.cli.main import main
main()
"""
"""The command, killed or stopped when it calls something for the n-th time."""
KILL, STOP = "os._exit(9)", "os.kill(os.getpid(), signal.SIGINT)"


def migrate(*words, killed_at=None, after=0, how=KILL):
    """Run the command line; or as its own process, killed when it calls `killed_at`, a name in `migrate`.

    `how`: or else stopped, as by Ctrl-C.
    """
    env = {"POSTHOG_API_KEY": "phc_sealed"}
    if killed_at is None:
        return commands.migrate(*words, env=env)
    owner, _, name = killed_at.rpartition(".")
    return forked.python(KILLED.format(owner=owner, name=name, after=after, how=how), *words, env=env)


def summary(done):
    """The JSON that a command ends with."""
    return json.loads(done.stdout.splitlines()[-1])


def exports(folder, files=4, rows=40, start=0):
    """Files of calls of several days, too large to be planned together."""
    folder.mkdir(exist_ok=True)
    for number in range(start, start + files):
        calls = [
            {
                "type": "track" if row % 7 else "identify",
                "event": "E",
                "messageId": f"{number}-{row}",
                "userId": f"u{row % 5}",
                "anonymousId": f"a{row % 5}-{number}",
                "traits": {"n": row},
                "timestamp": f"2024-04-{number + 1:02d}T10:{row:02d}:00Z",
                "properties": {"pad": "x" * 13_500},
            }
            for row in range(rows)
        ]
        (folder / f"{number:02d}.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
    return folder


def flipped(path, place, bit=0):
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


def scattered(folder, files=3, days=40):
    """Files of calls, one of each day, too large to be planned together."""
    folder.mkdir(exist_ok=True)
    for number in range(files):
        calls = [
            {
                "type": "track",
                "event": "E",
                "messageId": f"{number}-{day}",
                "userId": f"u{day % 5}",
                "timestamp": f"2024-{3 + day // 28:02d}-{day % 28 + 1:02d}T10:00:{number:02d}Z",
                "properties": {"pad": "x" * 14_000},
            }
            for day in range(days)
        ]
        (folder / f"{number:02d}.jsonl").write_text("".join(json.dumps(call) + "\n" for call in calls))
