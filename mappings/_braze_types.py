"""Braze's kinds of events: which one a row is, and what it is called."""

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from migrate.kit import expr
from migrate.kit.declare import FILE, words

TYPES: Final = {
    "behaviors": "CustomEvent InstallAttribution Location Purchase Uninstall UpgradedApp",
    "behaviors.app": "FirstSession NewsFeedImpression SessionEnd SessionStart",
    "behaviors.liveactivity": "PushToStartTokenChange UpdateTokenChange",
    "behaviors.pushnotification": "TokenStateChange",
    "behaviors.subscription": "GlobalStateChange",
    "behaviors.subscriptiongroup": "StateChange",
    "campaigns": "Abort Conversion EnrollInControl UniqueReceipt",
    "canvas": "Abort Conversion Entry",
    "canvas.costep": "Conversion Send",
    "canvas.exit": "MatchedAudience PerformedEvent",
    "canvas.experimentstep": "Conversion SplitEntry",
    "canvas.sendtodestination": "NotSent Sent",
    "canvasstep": "Progression",
    "messages.banner": "Abort Click Dismiss Impression",
    "messages.contentcard": "Abort Click Dismiss Impression Send",
    "messages.email": "Abort Bounce Click Deferral Delivery MarkAsSpam Open Retry Send SoftBounce Unsubscribe",
    "messages.featureflag": "Impression",
    "messages.inappmessage": "Abort Click Impression",
    "messages.landingpage": "Click FormSubmission Impression",
    "messages.line": "Abort Click InboundReceive Retry Send",
    "messages.liveactivity": "Outcome Send",
    "messages.newsfeedcard": "Abort Click Impression",
    "messages.pushnotification": "Abort Bounce InfluencedOpen IosForeground Open Retry Send",
    "messages.rcs": "Abort Click Delivery InboundReceive Read Rejection Send",
    "messages.sms": (
        "Abort CarrierSend Delivery DeliveryFailure InboundReceive Rejection Retry Send ShortLinkClick"
    ),
    "messages.survey": "Response",
    "messages.webhook": "Abort Failure Retry Send",
    "messages.whatsapp": "Abort Click Delivery Failure InboundReceive Read Retry Send",
    "": "RandomBucketNumberUpdate UserDeleteRequest UserOrphan",
}
"""The kinds there are, `users.` before each, by what stands before their last word."""
WORDS: Final = {
    "campaigns": "Campaign",
    "canvasstep": "Canvas Step",
    "contentcard": "Content Card",
    "costep": "Step",
    "experimentstep": "Experiment Step",
    "featureflag": "Feature Flag",
    "inappmessage": "In-App Message",
    "landingpage": "Landing Page",
    "line": "LINE",
    "liveactivity": "Live Activity",
    "newsfeedcard": "News Feed Card",
    "pushnotification": "Push Notification",
    "rcs": "RCS",
    "sendtodestination": "Destination",
    "sms": "SMS",
    "subscriptiongroup": "Subscription Group",
    "whatsapp": "WhatsApp",
}
"""What a part of a kind is called, where its first letter in upper case is not enough."""
_SILENT: Final = frozenset({"users", "behaviors", "messages", "app", "agentconsole"})
_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SHAPE: Final = r"(?i)^(?:users|behaviors|messages|campaigns|canvas|agentconsole|contentoptimizer)[._]"


def _kinds() -> Iterator[str]:
    for parts, names in TYPES.items():
        yield from (".".join(filter(None, ("users", parts, name))) for name in words(names))


def _squeezed(text: str) -> str:
    """Return a kind without what its spellings differ in: USERS_MESSAGES_EMAIL_CLICK_SHARED, messages.email.Click."""
    bare = re.sub(r"[^a-z]", "", text.lower())
    return bare.removeprefix("users").removesuffix("shared") or bare


_KNOWN: Final = {_squeezed(one): one for one in _kinds()}


def spelled(text: str) -> str:
    """Return a kind as Braze writes it, whatever a folder, a file or a table is called; an unknown one as it is."""
    return _KNOWN.get(_squeezed(text), text)


def called(kind: str) -> str:
    """Return the name of a kind of events: `users.messages.email.Click` is "Email Click"."""
    parts = [WORDS.get(part, part[:1].upper() + part[1:]) for part in kind.split(".") if part not in _SILENT]
    return " ".join(_HUMPS.sub(" ", part) for part in parts)


def kind(said: pl.Expr, *, custom: pl.Expr, purchase: pl.Expr, orphan: pl.Expr) -> pl.Expr:
    """Return which kind of event a row is: as its folder or itself says, its file's name, or what only one kind has."""
    file = pl.when(pl.col(FILE).str.contains(_SHAPE)).then(pl.col(FILE))
    told = expr.each(expr.first(said, file), spelled)
    shown = (
        pl.when(orphan.is_not_null())
        .then(pl.lit("users.UserOrphan"))
        .when(purchase.is_not_null())
        .then(pl.lit("users.behaviors.Purchase"))
        .when(custom.is_not_null())
        .then(pl.lit("users.behaviors.CustomEvent"))
    )
    return pl.coalesce(told, shown)
