"""PostHog's spellings of the vendors' words."""

import re
import subprocess
import sys
from urllib.parse import quote, urlencode

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.kit import countries, spellings, values

A, B = pl.col("a"), pl.col("b")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ONE_TO_ONE = {
    "known": values.known,
    "system": values.system,
    "system_of": values.system_of,
    "browser": values.browser,
    "device_type": values.device_type,
    "country_code": values.country_code,
    "country_name": values.country_name,
    "language": values.language,
    "referring_domain": values.referring_domain,
}
"""The functions that make one text of one."""

# posthog-js's `detectOS`, `detectBrowser` and `detectDeviceType`; of the last also what its Android and iOS libraries
# write, and of the first what posthog-ios calls a television's and a headset's.
SYSTEMS = {
    *("Android", "BlackBerry", "Chrome OS", "Linux", "Mac OS X", "Nintendo", "PlayStation", "Windows"),
    *("Windows Mobile", "Windows Phone", "Xbox", "iOS", "tvOS", "visionOS", "watchOS"),
}
BROWSERS = {
    *(
        "Android Mobile",
        "BlackBerry",
        "Brave",
        "Chrome",
        "Chrome iOS",
        "DuckDuckGo",
        "Facebook Mobile",
        "Firefox",
    ),
    *("Firefox iOS", "Google Search App", "Internet Explorer", "Internet Explorer Mobile", "Konqueror"),
    *("Microsoft Edge", "Mobile Safari", "Oculus Browser", "Opera", "Opera Mini", "Pale Moon", "Safari"),
    *("Samsung Internet", "UC Browser", "Vivaldi", "Waterfox", "Whale", "Yandex"),
}
DEVICE_TYPES = {"CarPlay", "Console", "Desktop", "Mobile", "TV", "Tablet", "Vision", "Wearable"}


def spelled(expression, *texts):
    """What becomes of these texts in column `a`."""
    return (
        pl.DataFrame({"a": texts}, schema={"a": pl.String})
        .lazy()
        .select(x=expression)
        .collect()["x"]
        .to_list()
    )


def struct(expressions, *texts):
    """What becomes of each of these texts in column `a`, by name, without nulls."""
    frame = pl.DataFrame({"a": texts}, schema={"a": pl.String}).lazy().select(**expressions).collect()
    return [{name: value for name, value in row.items() if value is not None} for row in frame.to_dicts()]


@pytest.mark.parametrize("name", ONE_TO_ONE)
def test_nothing_becomes_nothing(name):
    """Null, blanks and what vendors write for "nothing" are null; no function makes a value of them."""
    nothing = (None, "", " ", "(not set)", " undefined ", "::empty::")
    assert spelled(ONE_TO_ONE[name](A), *nothing) == [None] * len(nothing)


@pytest.mark.parametrize("name", sorted(ONE_TO_ONE.keys() - {"known", "language", "referring_domain"}))
def test_the_unknown_is_nothing(name):
    """What says that a system, a browser, a type or a country could not be told is null, in any case."""
    assert (
        spelled(ONE_TO_ONE[name](A), "Unknown", "UNK", "(other)", "??", "--") == [None] * 5
        or name == "language"
    )


@pytest.mark.parametrize("name", sorted(ONE_TO_ONE.keys() - {"referring_domain"}))
@given(texts=st.lists(TEXT | st.sampled_from(["Safari", "iPad", "us", "en_us", "Turkey", "Mac"]), max_size=5))
@pytest.mark.law
def test_what_is_spelled_stays_so(name, texts):
    """Of any text, spelled twice is spelled once."""
    once = spelled(ONE_TO_ONE[name](A), *texts)
    assert spelled(ONE_TO_ONE[name](A), *once) == once


@pytest.mark.parametrize(
    ("table", "function", "own"),
    [
        pytest.param(spellings.SYSTEMS, values.system, SYSTEMS, id="systems"),
        pytest.param(spellings.BROWSERS, values.browser, BROWSERS, id="browsers"),
        pytest.param(spellings.IPHONE_BROWSERS, values.browser, BROWSERS, id="iphone-browsers"),
        pytest.param(spellings.DEVICE_TYPES, values.device_type, DEVICE_TYPES, id="device-types"),
    ],
)
def test_tables_hold_posthogs_words(table, function, own):
    """A table leads to nothing but PostHog's own words, and each of those stays as it is."""
    assert set(table.values()) <= own
    assert spelled(function(A), *sorted(own)) == sorted(own)


def test_browser_names_can_be_found():
    """Each name in the table is in lower case, its words one space apart, without a version: as it is looked up."""
    assert [name for name in spellings.BROWSERS if name != re.sub(r"[-_ ]+", " ", name.lower()).strip()] == []
    assert [name for name in spellings.BROWSERS if re.search(r"[ /]v?\d", name)] == []


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        pytest.param(
            "Mac OS X", ["Mac OS X", "Macintosh", "Mac OS", "macOS", "Mac", "MAC", "OS X"], id="mac"
        ),
        pytest.param(
            "Mac OS X", ["Mac OS X 10.15.7", "macOS 14.4", "MacIntel", "MacBookPro18,3"], id="mac-more"
        ),
        pytest.param(
            "Windows", ["Windows", "windows 10", "Windows NT", "Win32", "WIN", "Windows CE"], id="windows"
        ),
        pytest.param("Windows Phone", ["Windows Phone", "WindowsPhone 8.1", "WPH"], id="windows-phone"),
        pytest.param(
            "iOS", ["iOS", "ios", "iPadOS", "iPhone OS", "iPhone14,2", "iOS 4 (iPhone)", "IPA"], id="ios"
        ),
        pytest.param("iOS", ["Mac OS X (iPhone)", "Apple iPad", "IOS"], id="ios-more"),
        pytest.param(
            "Android", ["Android", "Android 12", "Android OS", "AND", "Fire OS", "Samsung"], id="android"
        ),
        pytest.param(
            "Chrome OS", ["Chrome OS", "CrOS", "Google Chrome OS", "Chromium OS", "COS"], id="chrome-os"
        ),
        pytest.param("Linux", ["Linux", "GNU/Linux", "Ubuntu", "LIN", "UBT", "Debian"], id="linux"),
        pytest.param("tvOS", ["tvOS", "Apple TV", "ATV OS X", "AppleTV11,1"], id="tv"),
        pytest.param("watchOS", ["watchOS", "Apple Watch"], id="watch"),
        pytest.param("PlayStation", ["PlayStation", "Playstation 4", "PS3"], id="playstation"),
        pytest.param("BlackBerry", ["BlackBerry OS", "BB10"], id="blackberry"),
    ],
)
def test_system(expected, words):
    """Every vendor's word for a system is PostHog's."""
    assert spelled(values.system(A), *words) == [expected] * len(words)


def test_a_system_nobody_knows_stays():
    """It keeps its name without blanks; GA4's "Web" is none. `system_of` keeps nothing."""
    assert spelled(values.system(A), "Tizen", " KaiOS ", "Darwin", "Web") == [
        "Tizen",
        "KaiOS",
        "Darwin",
        None,
    ]
    assert spelled(values.system_of(A), "Tizen", "Machine", "Winner", "Web") == [None] * 4


def test_the_first_text_that_tells_a_system_counts():
    """A model that says nothing leaves it to the platform."""
    frame = pl.DataFrame({"a": ["iPhone14,2", "X-100", None], "b": ["Android", "Android", "Web"]})
    assert frame.select(values.system_of(A, B)).to_series().to_list() == ["iOS", "Android", None]


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        pytest.param(
            "Chrome", ["Chrome", "chrome", "Chrome 99.0.48", "Chrome/99", "Google Chrome", "CH"], id="chrome"
        ),
        pytest.param(
            "Chrome", ["Android Webview", "Chrome Mobile WebView", "HeadlessChrome", "CM"], id="chrome-more"
        ),
        pytest.param("Chrome iOS", ["Chrome iOS", "crios", "Chrome Mobile iOS", "CI"], id="chrome-ios"),
        pytest.param(
            "Microsoft Edge", ["Edge", "edge-chromium", "edge-ios", "Microsoft Edge 18", "PS"], id="edge"
        ),
        pytest.param("Firefox", ["Firefox", "Firefox Mobile", "Firefox 3.6b", "FF"], id="firefox"),
        pytest.param("Firefox iOS", ["fxios", "Firefox Mobile iOS"], id="firefox-ios"),
        pytest.param(
            "Mobile Safari", ["Mobile Safari", "Safari (in-app)", "ios", "ios-webview", "MF"], id="iphone"
        ),
        pytest.param("Mobile Safari", ["Mobile Safari UI/WKWebView", "Mobile Safari 17.4"], id="iphone-more"),
        pytest.param("Safari", ["Safari", "safari", "Safari 17", "SF"], id="safari"),
        pytest.param(
            "Samsung Internet", ["Samsung Internet", "samsung", "Samsung Browser", "SB"], id="samsung"
        ),
        pytest.param("Internet Explorer", ["IE", "ie", "Internet Explorer 11", "MSIE 9.0"], id="ie"),
        pytest.param("Internet Explorer Mobile", ["IEMobile", "IE Mobile"], id="ie-mobile"),
        pytest.param("Opera", ["Opera", "Opera Mobi", "Opera GX 99", "OP"], id="opera"),
        pytest.param("Opera Mini", ["opera-mini", "Opera Mini"], id="opera-mini"),
        pytest.param("Android Mobile", ["Android Browser", "android", "AN"], id="android"),
        pytest.param("UC Browser", ["UCBrowser", "UC Browser 13.4"], id="uc"),
        pytest.param("Yandex", ["YaBrowser", "yandexbrowser", "Yandex Browser"], id="yandex"),
        pytest.param("360 Browser", [" 360 Browser", "360 Browser 12"], id="none-of-posthogs"),
    ],
)
def test_browser(expected, words):
    """Every vendor's word for a browser is PostHog's, the version cut off."""
    assert spelled(values.browser(A), *words) == [expected] * len(words)


def test_browsers_of_an_iphone():
    """Where the system is iOS, what vendors call Safari, Chrome and Firefox is PostHog's name for those of a phone."""
    names = ["Safari", "Chrome 120", "Firefox", "Microsoft Edge", "Mobile Safari", None]
    own = ["Mobile Safari", "Chrome iOS", "Firefox iOS", "Microsoft Edge", "Mobile Safari", None]
    assert spelled(values.browser(A, on=pl.lit("iOS")), *names) == own
    assert spelled(values.browser(A, on=pl.lit("Mac OS X")), *names)[:2] == ["Safari", "Chrome"]
    assert spelled(values.browser(A, on=pl.lit(None, pl.String)), *names)[:2] == ["Safari", "Chrome"]


def test_version():
    """The first number in the text, of major and minor version; where there is none, null."""
    texts = ("Chrome 99.0.48", "117", "15.4.1", "v8", "Chrome", "", None)
    assert spelled(values.version(A), *texts) == [99.0, 117.0, 15.4, 8.0, None, None, None]


@given(text=TEXT)
def test_version_is_a_number(text):
    """Of any text."""
    assert all(found is None or found >= 0 for found in spelled(values.version(A), text))


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        pytest.param(
            "Desktop", ["desktop", "Desktop", "laptop", "Computer", "PC", "0", "devices/desktop.png"], id="pc"
        ),
        pytest.param(
            "Desktop", ["Mac", "Macintosh", "Windows 10", "Linux", "Chrome OS", "Tablet PC"], id="pc-system"
        ),
        pytest.param(
            "Mobile", ["mobile", "Smartphone", "Phablet", "phone", "Feature phone", "1", "10"], id="phone"
        ),
        pytest.param(
            "Mobile", ["iPhone14,2", "Apple iPhone 12", "SM-G991B", "ios", "Android"], id="phone-model"
        ),
        pytest.param("Tablet", ["tablet", "Apple iPad", "iPad13,4", "SM-T870", "Kindle", "2"], id="tablet"),
        pytest.param(
            "TV", ["smart tv", "TV", "Android TV", "AppleTV11,1", "Set-top box", "tvOS", "5"], id="tv"
        ),
        pytest.param("Console", ["Game console", "Console", "Xbox", "PlayStation 4", "4"], id="console"),
        pytest.param("Wearable", ["Watch", "watchOS", "wearable", "12"], id="wearable"),
        pytest.param(None, ["Robot", "Camera", "11", "web", "server"], id="none"),
    ],
)
def test_device_type(expected, words):
    """Every vendor's word for a type of device, its models and its systems tell PostHog's."""
    assert spelled(values.device_type(A), *words) == [expected] * len(words)


def test_the_first_text_that_tells_a_device_type_counts():
    """What the vendor calls the type comes before the model, the model before the system."""
    frame = pl.DataFrame({"a": ["Tablet", "X-100", None], "b": ["Android", "Android", "Web"]})
    assert frame.select(values.device_type(A, B)).to_series().to_list() == ["Tablet", "Mobile", None]


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        pytest.param("DE", "Germany", ["de", "DE", "DEU", "deu", "Germany", "GERMANY"], id="any-case"),
        pytest.param("US", "United States", ["usa", "USA", "U.S.", "United States of America"], id="us"),
        pytest.param("GB", "United Kingdom", ["UK", "gbr", "Great Britain", "England"], id="uk"),
        pytest.param("TR", "Türkiye", ["Turkey", "Türkiye", "Turkiye", "TÜRKİYE"], id="turkey"),
        pytest.param("CZ", "Czechia", ["Czech Republic", "Czechia", "cze"], id="czechia"),
        pytest.param(
            "KR", "South Korea", ["South Korea", "Korea, Republic of", "Republic of Korea"], id="korea"
        ),
        pytest.param(
            "KP", "North Korea", ["Korea, Democratic People's Republic of", "PRK"], id="north-korea"
        ),
        pytest.param("RU", "Russia", ["Russia", "Russian Federation"], id="russia"),
        pytest.param("HK", "Hong Kong", ["Hong Kong", "Hong Kong SAR China", "HKG"], id="hong-kong"),
        pytest.param("NL", "The Netherlands", ["Netherlands", "The Netherlands", "nl"], id="netherlands"),
        pytest.param(
            "CI", "Ivory Coast", ["Côte d\u2019Ivoire", "Cote d'Ivoire", "Ivory Coast"], id="apostrophes"
        ),
        pytest.param("CD", "DR Congo", ["Congo - Kinshasa", "Congo (DRC)", "COD"], id="congo"),
        pytest.param("MM", "Myanmar", ["Myanmar (Burma)", "Burma"], id="myanmar"),
        pytest.param("BA", "Bosnia and Herzegovina", ["Bosnia & Herzegovina", "BIH"], id="and"),
        pytest.param("LC", "Saint Lucia", ["St. Lucia", "St Lucia", "Saint Lucia"], id="saint"),
        pytest.param("JO", "Jordan", ["Hashemite Kingdom of Jordan"], id="once-maxminds"),
        pytest.param("XK", "Kosovo", ["XK", "Kosovo"], id="kosovo"),
    ],
)
def test_country(code, name, words):
    """A code of two or three letters and every usual English name are one country."""
    assert spelled(values.country_code(A), *words) == [code] * len(words)
    assert spelled(values.country_name(A), *words) == [name] * len(words)


def test_no_country():
    """What is no country has no code; a name that is not known stays, a code that is not known does not."""
    assert spelled(values.country_code(A), "xx", "EU", "ZZ", "Bavaria", "12", "日本") == [None] * 6
    assert spelled(values.country_name(A), "xx", "EUR", " Bavaria ", "日本") == [
        None,
        None,
        "Bavaria",
        "日本",
    ]


def test_every_country_keeps_its_name_and_code():
    """All 249 of ISO 3166 and Kosovo: code to name and back; no two have the same name."""
    codes = sorted(countries._names())  # noqa: SLF001 - there is no other list of them
    names = spelled(values.country_name(A), *codes)
    assert len(set(names)) == 250
    assert spelled(values.country_code(A), *names) == spelled(values.country_code(A), *codes) == codes
    assert not [name for name in names if "&" in name or "SAR" in name or re.match("St. ", name)]


def test_countries_are_read_when_needed():
    """No command waits for Babel that does not spell countries."""
    code = "import sys, migrate.cli.main, mappings.amplitude; sys.exit('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_page():
    """The address, its host in lower case, its path."""
    (found,) = struct(values.page(A), " https://Shop.example.com:8080/a/b?x=1#top ")
    assert found == {
        "$current_url": "https://Shop.example.com:8080/a/b?x=1#top",
        "$host": "shop.example.com:8080",
        "$pathname": "/a/b",
    }
    assert struct(values.page(A), None, "") == [{}, {}]


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        pytest.param("https://www.google.com/", ("https://www.google.com/", "www.google.com"), id="page"),
        pytest.param("", ("$direct", "$direct"), id="blank"),
        pytest.param(None, ("$direct", "$direct"), id="none"),
        pytest.param("$direct", ("$direct", "$direct"), id="direct"),
        pytest.param("(not set)", ("$direct", "$direct"), id="not-set"),
        pytest.param("about:blank", ("about:blank", None), id="no-host"),
    ],
)
def test_referrer(referrer, expected):
    """A page that nothing led to came directly, as posthog-js has it."""
    (found,) = struct(values.page(A, referrer=pl.lit(referrer, pl.String)), "https://example.com/")
    assert (found.get("$referrer"), found.get("$referring_domain")) == expected


def test_only_the_web_is_direct():
    """Without an address, or where the mapping says it is not the web, no referrer is none."""
    none = pl.lit(None, pl.String)
    names = ["$referrer", "$referring_domain"]
    assert struct(values.page(A, referrer=none), None) == [{}]
    (app,) = struct(values.page(A, referrer=none, web=pl.lit(False)), "https://example.com/")
    assert not app.keys() & set(names)
    (web,) = struct(values.page(A, referrer=none, web=pl.lit(True)), None)
    assert web == dict.fromkeys(names, "$direct")


def test_referring_domain():
    """The host of an address, in lower case, also of one that lacks its scheme."""
    texts = (
        "https://WWW.Google.com/search?q=x",
        "news.ycombinator.com/item",
        "t.co",
        "localhost:3000",
        "$direct",
    )
    hosts = ["www.google.com", "news.ycombinator.com", "t.co", "localhost:3000", "$direct"]
    assert spelled(values.referring_domain(A), *texts) == hosts
    assert spelled(values.referring_domain(A), "android-app://com.slack/", "Google", "/a.html") == [
        *("com.slack", None, None),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("?utm_source=spring+sale&utm_medium=e%2Dmail", ["spring sale", "e-mail"], id="decoded"),
        pytest.param("?utm_source=one&utm_source=two", ["one", None], id="first-wins"),
        pytest.param("?a=1&utm_medium=mail", [None, "mail"], id="not-first"),
        pytest.param("?utm_source=&utm_medium=%20", [None, None], id="blank"),
        pytest.param("?xutm_source=a&utm_sources=b", [None, None], id="other-names"),
        pytest.param("?next=utm_source=a", [None, None], id="inside-another"),
        pytest.param("#/home?utm_source=a", [None, None], id="after-the-hash"),
        pytest.param("?utm_source=a#?utm_medium=b", ["a", None], id="before-the-hash"),
        pytest.param("?utm_source=G%C3%A4rten%F0%9F%8C%B1", ["Gärten🌱", None], id="utf-8"),
        pytest.param("?utm_source=50%&utm_medium=%ff", ["50%", "\ufffd"], id="no-encoding"),
        pytest.param("", [None, None], id="none"),
    ],
)
def test_campaign(query, expected):
    """The parameters of the query, decoded."""
    (found,) = struct(values.campaign(A), f"https://example.com/{query}")
    assert [found.pop("utm_source", None), found.pop("utm_medium", None)] == expected
    assert not found


def test_no_address_no_campaign():
    """Null and blank addresses have none."""
    assert struct(values.campaign(A), None, "") == [{}, {}]


def test_campaign_has_every_name():
    """Every parameter that posthog-js keeps is found, each by its own name."""
    query = urlencode({name: name.upper() for name in values.CAMPAIGN})
    (found,) = struct(values.campaign(A), f"https://example.com/?{query}")
    assert found == {name: name.upper() for name in values.CAMPAIGN}


@given(value=TEXT, safe=st.sampled_from(["", "/:"]))
def test_campaign_gives_back_what_was_encoded(value, safe):
    """Any text comes back from a URL as it went in, but for blanks around it."""
    (found,) = struct(
        values.campaign(A), f"https://example.com/?x=1&utm_source={quote(value, safe=safe)}&y=2"
    )
    (kept,) = spelled(pl.col("a").str.strip_chars(), value)
    assert found.get("utm_source", "") == kept


def test_language():
    """Language, script and region in the letters of a browser; a name is no code."""
    texts = (
        "en_us",
        "EN-us",
        "de",
        "zh_hans_cn",
        "es-419",
        "ca-ES-valencia",
        "por",
        "English",
        "en_US.UTF-8",
        "C",
    )
    codes = ["en-US", "en-US", "de", "zh-Hans-CN", "es-419", "ca-ES-valencia", "por", None, None, None]
    assert spelled(values.language(A), *texts) == codes
