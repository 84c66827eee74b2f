"""What columns are called → what PostHog has a name of its own for: properties, groups, sessions."""

import re
from collections.abc import Mapping
from typing import Final

NAMES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("url", "pageurl", "currenturl", "location", "pagelocation", "fullurl"), "$current_url"),
    **dict.fromkeys(("path", "pathname", "pagepath", "urlpath"), "$pathname"),
    **dict.fromkeys(("host", "hostname", "domain", "pagehost"), "$host"),
    **dict.fromkeys(("referrer", "referer", "pagereferrer", "httpreferer"), "$referrer"),
    **dict.fromkeys(("ip", "ipaddress", "clientip", "remoteaddr"), "$ip"),
    **dict.fromkeys(("useragent", "ua", "httpuseragent"), "$raw_user_agent"),
    **dict.fromkeys(("browser", "browsername"), "$browser"),
    **dict.fromkeys(("os", "osname", "operatingsystem"), "$os"),
    **dict.fromkeys(("screen", "screenname"), "$screen_name"),
    **{f"utm{name}": f"utm_{name}" for name in ("source", "medium", "campaign", "content", "term")},
    "browserversion": "$browser_version",
    "osversion": "$os_version",
    "devicetype": "$device_type",
    "appversion": "$app_version",
    "screenwidth": "$screen_width",
    "screenheight": "$screen_height",
    "countrycode": "$geoip_country_code",
    "city": "$geoip_city_name",
}
"""Letters and digits of a column's name → the property under which PostHog's own screens look for it."""
GROUPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("companyid", "accountid", "company"), "company"),
    **dict.fromkeys(("organizationid", "organisationid", "orgid", "organization"), "organization"),
    **dict.fromkeys(("teamid", "workspaceid", "tenantid", "projectid"), ""),
}
"""The same → the type of the group whose key it may be; its own word, where nothing stands here."""
PERSON: Final = re.compile(r"(user|customer)?(email|plan|role|locale|language|signupdate|firstname|lastname)")
SESSION: Final = re.compile(r"(.*session|visit)(id|uuid)")


def bare(name: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def property_of(name: str) -> str | None:
    """Return under which name PostHog has a property, None where it has none, or the same."""
    found = NAMES.get(bare(name))
    return None if found == name else found


def group_of(name: str) -> str | None:
    """Return of which type the group is whose key a column may hold."""
    found = GROUPS.get(bare(name))
    return None if found is None else found or bare(name).removesuffix("id")
