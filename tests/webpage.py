"""A page as a strict reader has it: its elements, balanced, with what a report promises of all of them."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "br"}
LOADS = {"src", "srcset", "href", "xlink:href", "data", "action", "formaction", "poster", "background"}


@dataclass
class Element:
    """One element: its name, its attributes, and the pieces of text in it."""

    tag: str
    attributes: dict
    parts: list = field(default_factory=list)

    @property
    def text(self):
        """All text in it."""
        return "".join(self.parts)


@dataclass
class Page(HTMLParser):
    """All elements of a page, in order; it raises AssertionError where they are not balanced."""

    source: str
    elements: list = field(default_factory=list)
    _open: list = field(default_factory=list)

    def __post_init__(self):
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):  # noqa: D102 - the parser's
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.elements.append(Element(tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):  # noqa: D102 - the parser's
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):  # noqa: D102 - the parser's
        assert self._open, tag
        assert self._open.pop().tag == tag

    def handle_data(self, data):  # noqa: D102 - the parser's
        for one in self._open:
            one.parts.append(data)

    def all(self, tag=None, **having):
        """Elements of a name that have these attributes, `data_of` for `data-of`."""
        wanted = {name.replace("_", "-"): value for name, value in having.items()}
        return [
            one
            for one in self.elements
            if tag in {None, one.tag}
            and all(
                name in one.attributes and value in {None, one.attributes[name]}
                for name, value in wanted.items()
            )
        ]

    def count(self, of):
        """The number that stands for a name."""
        (found,) = self.all(data_of=of)
        assert found.text.replace(",", "").startswith(found.attributes["data-count"]) or " " in found.text
        return int(found.attributes["data-count"])

    def check(self):
        """Assert what holds of every page: nothing is run or fetched, and whoever reads it otherwise can."""
        assert self.all("script") == []
        names = {name for one in self.elements for name in one.attributes}
        assert [name for name in names if name.startswith("on") or name == "style"] == []
        links = [one.attributes[name] for one in self.elements for name in LOADS & one.attributes.keys()]
        ids = [one.attributes["id"] for one in self.all(id=None)]
        assert len(ids) == len(set(ids))
        assert {link[:1] for link in links} == {"#"}
        assert {link[1:] for link in links} <= set(ids)
        assert "url(" not in self.source
        assert "@import" not in self.source
        labels = {
            word
            for one in self.all(aria_labelledby=None)
            for word in one.attributes["aria-labelledby"].split()
        }
        assert labels <= set(ids)
        self._check_structure()

    def _check_structure(self):
        (style,) = self.all("style")
        (policy,) = self.all("meta", http_equiv="Content-Security-Policy")
        digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
        assert policy.attributes["content"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
        levels = [int(one.tag[1]) for one in self.elements if re.fullmatch(r"h[1-6]", one.tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(now <= before + 1 for before, now in pairwise(levels))
        assert len(self.all("table")) == len(self.all("caption"))
        assert all("scope" in one.attributes for one in self.all("th"))
        pictures = self.all("svg")
        assert all({"aria-hidden", "aria-labelledby"} & one.attributes.keys() for one in pictures)
        assert all(one.attributes["aria-label"] for one in self.all(tabindex="0") if one.tag != "code")
