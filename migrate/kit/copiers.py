"""The columns that Airbyte, Fivetran and Stitch add to the rows they copy: notes on the copy, for `Table.dropped`."""

from typing import Final

AIRBYTE: Final = frozenset(
    f"_airbyte_{name}"
    for name in ("ab_id", "emitted_at", "extracted_at", "generation_id", "meta", "normalized_at", "raw_id")
)
AIRBYTE_KEY: Final = "_airbyte_unique_key"
"""What Airbyte adds beside these where it keeps one row of each key."""

FIVETRAN: Final = frozenset(("_fivetran_deleted", "_fivetran_id", "_fivetran_synced"))

STITCH: Final = frozenset(
    f"_sdc_{name}"
    for name in ("batched_at", "extracted_at", "primary_key", "received_at", "sequence", "table_version")
)
