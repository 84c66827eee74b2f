"""docs/serve.md is true: the signs are those of the page, the policy is the server's."""

from markdown import ROOT
from markdown import rows as cells

PAGE = ROOT / "docs" / "serve.md"
ASSETS = ROOT / "migrate" / "serving" / "assets"


def test_the_signs_are_those_of_the_page():
    """Each with the word that the page says for it."""
    script, style = ((ASSETS / name).read_text(encoding="utf-8") for name in ("serve.js", "serve.css"))
    signs = {sign.strip("`"): told.partition(":")[0] for sign, told in cells(PAGE, "What it shows")}
    assert len(signs) == 6
    legend = "   ".join(f"{sign} {told}" for sign, told in signs.items())
    assert f'"{legend}"' in script
    assert [sign for sign in signs if f'content: "{sign}"' not in style] == []
