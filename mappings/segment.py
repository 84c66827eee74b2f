"""Segment: raw messages of S3 and GCS, and the tables of warehouses and data lakes.

Raw files lie under `segment-logs/<source>/<day received, in ms>/`, one JSON message a line; browsers and many clients
unpack them on the way and leave the name `.gz` (https://www.twilio.com/docs/segment/connections/storage/catalog/amazon-s3,
read 2026-11-20). A warehouse has `tracks` with the names of events, a table with the properties of each event,
`pages`, `screens`, `identifies`, `groups`, `aliases`, and the last states `users` and `accounts`; a data lake has a
folder for each event. A folder with all of it is one export. Messages are read in `mappings._messages`, tables in
`mappings._warehouse`; what becomes of a call in `mappings._calls`.
"""

from typing import Final

from mappings._messages import raw_messages
from mappings._warehouse import tables
from migrate.kit.declare import Platform

MAPPING: Final = Platform(
    title="Segment",
    identity_version=2,
    payload_version=2,
    options=frozenset({"--labels", "--group-key", "--group-type"}),
    reads="raw messages as JSON lines (S3, GCS), and warehouse or data lake tables as CSV, Parquet or JSON lines",
    tables=[raw_messages("segment"), *tables(source="segment", own=r"context_")],
)
