"""The documents are true to the code and to each other; the commands in them are run by `test_commands`."""

import pages
import pytest
from markdown import DOCUMENTS, ROOT, anchors, links, name, titles

from migrate import platforms

NAMES = platforms.names()
SECTIONS = [
    "Get the export",
    "Import it",
    "What is read",
    "What makes two rows one event",
    "Persons and groups",
    "Times",
    "Names",
    "Not carried over",
    "Options",
    "What PostHog's own importer does otherwise",
    "Known limits",
]


@pytest.mark.parametrize("platform", NAMES)
def test_page_says_what_the_mapping_says(platform):
    """Tables, rules, columns and options are those of the mapping: after a change, `python tests/pages.py`."""
    page = pages.PAGES / f"{platform}.md"
    assert page.read_text(encoding="utf-8") == pages.renewed(platform)


@pytest.mark.parametrize("platform", NAMES)
def test_page_has_all_parts_of_the_mapping(platform):
    """What a mapping drops or renames is on its page."""
    held = {
        kind
        for _, kind, _ in pages.PART.findall((pages.PAGES / f"{platform}.md").read_text(encoding="utf-8"))
    }
    wanted = {"tables", "options"}
    if platform != "table":  # there the spec of the sample says it
        wanted |= {kind for kind in ("dropped",) if pages.PARTS[kind](platform)}
        wanted |= {"renamed"} & {
            "renamed" for row in pages.renamed(platform) if platform != "posthog" and row
        }
    assert wanted <= held


@pytest.mark.parametrize("platform", NAMES)
def test_pages_have_the_same_sections(platform):
    """Whoever knows one page finds their way on all."""
    assert [title for title in titles(pages.PAGES / f"{platform}.md")[1:] if title in SECTIONS] == [
        section for section in SECTIONS if (platform, section) != ("table", "Names")
    ]


def test_every_platform_has_a_page_and_a_line_in_the_list_of_them():
    """A new platform is not done without."""
    assert sorted(path.stem for path in pages.PAGES.iterdir()) == NAMES
    pages_of = {f"platforms/{platform}.md" for platform in NAMES}
    assert pages_of | {"mappings.md"} == set(links(ROOT / "docs" / "platforms.md"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_links_lead_somewhere(path):
    """Each link within the repository names a file that is there, and a title that it has."""
    for target in links(path):
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_document_is_reached_from_the_readme(path):
    """There is no document that nobody finds."""
    reached, new = set(), {ROOT / "README.md"}
    while new:
        reached |= new
        new = {
            (one.parent / target.partition("#")[0]).resolve()
            for one in new
            for target in links(one)
            if target.partition("#")[0].endswith(".md")
        } - reached
    assert path.resolve() in reached


def test_readme_is_short():
    """It is read by a person who has an export in hand, and ten minutes."""
    assert len((ROOT / "README.md").read_bytes()) < 15_000
