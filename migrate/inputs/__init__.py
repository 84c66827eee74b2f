"""Which files, folders and archive members, in which order, and their fingerprints."""

from migrate.inputs.listing import Sources, sources
from migrate.inputs.names import archive_of, path_of, source_name
from migrate.inputs.rejected import Place
from migrate.inputs.source import Fingerprint, Source, fingerprint, stamp, stamp_of
from migrate.inputs.streams import Meter, Truncated, peek
from migrate.inputs.tars import close_idle

__all__ = [
    "Fingerprint",
    "Meter",
    "Place",
    "Source",
    "Sources",
    "Truncated",
    "archive_of",
    "close_idle",
    "fingerprint",
    "path_of",
    "peek",
    "source_name",
    "sources",
    "stamp",
    "stamp_of",
]
