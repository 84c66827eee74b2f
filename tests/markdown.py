"""The documents, taken apart: fenced blocks, links and anchors."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    path for part in ("*.md", "docs/**/*.md", "benchmarks/*.md") for path in ROOT.glob(part) if path.is_file()
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_TITLE = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name(path):
    """What a document is called in the output of tests."""
    return path.relative_to(ROOT).as_posix()


def blocks(path, language):
    """The fenced blocks in one language, in their order."""
    found = _BLOCK.findall(path.read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


def links(path):
    """Where a document links to, within the repository."""
    found = _LINK.findall(_BLOCK.sub("", path.read_text(encoding="utf-8")))
    return [target for target in found if "://" not in target]


def titles(path):
    """The titles of a document."""
    return _TITLE.findall(_BLOCK.sub("", path.read_text(encoding="utf-8")))


def anchors(path):
    """What a document's titles are called in links."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles(path)}


def rows(path, title):
    """The rows of the tables below a title, each as the texts of its cells; heads are left out."""
    text = path.read_text(encoding="utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
