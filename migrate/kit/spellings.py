"""The words of vendors by PostHog's own for systems, devices and browsers; `values` applies them.

PostHog's own are those of posthog-js (`user-agent-utils.ts`) and of its Android and iOS libraries, read 2026-11-20.
Codes of two and three letters and device types as numbers are Matomo's (its device-detector, read the same day).
"""

from typing import Final

_PHONES: Final = (
    r"android|wear ?os|samsung|galaxy|pixel|nexus|huawei|honor|xiaomi|redmi|oneplus|oppo|vivo|motorola|\bmoto\b"
    r"|realme|xperia|fairphone|\bsm-[a-z]\d"
)
_MACS: Final = r"\b(i?mac(\b|_|os|intosh|book|intel|mini|pro|studio|ppc|\d)|os ?x\b)"
_CHROME_OS: Final = r"\bcros\b|chrom(e|ium) ?os|chromebook"
_LINUX: Final = r"linux|ubuntu|debian|fedora|centos|red ?hat|suse|raspbian|\bmint\b"
_WINDOWS: Final = r"windows|\bwin(32|64|nt|ce|xp| ?\d+)?\b"
_CONSOLES: Final = r"xbox|playstation|nintendo"
_TVS: Final = r"(apple|android|fire|google|smart)[- _]?tv|\btv ?os"

# Of systems and of device types the first rule that is found in a text counts.
SYSTEMS: Final = {
    r"xbox|^xbx$": "Xbox",
    r"nintendo|\bwii|^nds$": "Nintendo",
    r"playstation|^ps[3-5p]$": "PlayStation",
    r"blackberry|playbook|\bbb10\b|^(blb|qnx)$": "BlackBerry",
    r"windows ?phone|^wph$": "Windows Phone",
    r"windows ?mobile|^wmo$": "Windows Mobile",
    rf"{_WINDOWS}|^(wce|wrt)$": "Windows",
    r"apple ?watch|watch ?os|^was$": "watchOS",
    r"apple ?tv|\btv ?os|^atv": "tvOS",
    r"apple ?vision|vision ?os": "visionOS",
    r"\b(iphone|ipad|ipod|ios|ipados)|^ipa$": "iOS",
    _MACS: "Mac OS X",
    rf"{_CHROME_OS}|^(cos|crs)$": "Chrome OS",
    rf"{_PHONES}|kindle|(fire|amazon) ?os|^(and|adr|fir|wer)$": "Android",
    rf"{_LINUX}|^(lin|ubt|deb|fed|rht|sse|ces|min|kbt|lbt|xbt|ras)$": "Linux",
}
DEVICE_TYPES: Final = {
    rf"\btv\b|{_TVS}|roku|chromecast|set-top|media receiver|^5$": "TV",
    r"watch|wear(able| ?os)|^12$": "Wearable",
    r"vision ?(os|pro)|^vision$": "Vision",
    r"carplay": "CarPlay",
    rf"console|{_CONSOLES}|^4$": "Console",
    r"ipad|tablet(?! ?pc)|galaxy tab|\bsm-[tx]\d|kindle|\bkobo\b|e-?reader|nexus (7|9|10)\b|^2$": "Tablet",
    rf"mobile|phone|phablet|handset|ipod|\bios\b|blackberry|{_PHONES}|^(1|3|10)$": "Mobile",
    rf"desktop|laptop|notebook|computer|\bpc\b|{_MACS}|{_CHROME_OS}|{_WINDOWS}|{_LINUX}|^0$": "Desktop",
}
IPHONE_BROWSERS: Final = {"Safari": "Mobile Safari", "Chrome": "Chrome iOS", "Firefox": "Firefox iOS"}
# By PostHog's name: other names, in lower case and with spaces only between the words.
BROWSERS: Final = {
    other: name
    for name, others in {
        "Android Mobile": "android, android browser, android webkit, an",
        "BlackBerry": "bb10, blackberry browser, bb",
        "Brave": "br",
        "Chrome": "google chrome, chrome mobile, mobile chrome, chrome webview, chrome mobile webview, chrome headless,"
        " headless chrome, headlesschrome, chromium, chromium webview, android webview, ch, cm, cr, cv, hc",
        "Chrome iOS": "chrome mobile ios, crios, ci",
        "DuckDuckGo": "duckduckgo privacy browser, duckduckgo mobile, ddg, dd",
        "Facebook Mobile": "facebook, facebook app, fbios",
        "Firefox": "firefox mobile, mobile firefox, mozilla firefox, ff, fm",
        "Firefox iOS": "firefox mobile ios, fxios, f1",
        "Google Search App": "gsa",
        "Internet Explorer": "ie, msie, microsoft internet explorer",
        "Internet Explorer Mobile": "ie mobile, iemobile, mobile internet explorer, im",
        "Konqueror": "ko",
        "Microsoft Edge": "edge, edge chromium, edge ios, edge mobile, edge legacy, ms edge, edg, ps",
        "Mobile Safari": "safari mobile, safari (in app), mobile safari ui/wkwebview, mobile safari uiwebview, ios,"
        " ios webview, mf",
        "Oculus Browser": "oculusbrowser, oc",
        "Opera": "opera mobile, opera mobi, opera touch, opera gx, opr, op, om, oo, ox",
        "Opera Mini": "oi",
        "Pale Moon": "palemoon, pm",
        "Safari": "apple safari, sf",
        "Samsung Internet": "samsung, samsung browser, samsungbrowser, sb",
        "UC Browser": "ucbrowser, ucweb, uc",
        "Vivaldi": "vi",
        "Waterfox": "wf",
        "Whale": "whale browser, naver whale, wh",
        "Yandex": "yandex browser, yandexbrowser, yabrowser, ya",
    }.items()
    for other in (name.lower(), *others.split(", "))
}
# In the order in which posthog-js looks (`user-agent-utils.ts`, read 2026-11-20): most browsers name others, too.
AGENTS: Final = {
    r"\bOPR/|\bOpera\b": "Opera",
    r"IEMobile": "Internet Explorer Mobile",
    r"SamsungBrowser/": "Samsung Internet",
    r"\bEdg(e|A|iOS)?/": "Microsoft Edge",
    r"FBAN|FBAV|FB_IAB|FBIOS": "Facebook Mobile",
    r"UCBrowser|UCWEB": "UC Browser",
    r"CriOS": "Chrome iOS",
    r"FxiOS": "Firefox iOS",
    r"Firefox/": "Firefox",
    r"Chrome/|CrMo/": "Chrome",
    r"MSIE|Trident/": "Internet Explorer",
    r"Android.*Safari/": "Android Mobile",
    r"Mobile.*Safari/": "Mobile Safari",
    r"Version/.*Safari/": "Safari",
}
AGENT_VERSIONS: Final = (
    r"(?:OPR|SamsungBrowser|Edge|EdgA|EdgiOS|Edg|UCBrowser|CriOS|FxiOS)/(\d+(?:\.\d+)?)",
    r"(?:FBAV|Firefox|Chrome|CrMo|IEMobile)/(\d+(?:\.\d+)?)",
    r"(?:MSIE |rv:|Version/)(\d+(?:\.\d+)?)",
)
