"""How the help of all commands groups their options."""

from typing import Final

GROUPS: Final = {
    "Target": ("host", "api_key", "protocol", "app_host", "personal_api_key", "project_id"),
    "Work": (
        *("config", "job", "output", "dry_run", "workdir", "parts", "existing", "people", "again", "yes"),
        *("executor", "workers", "partial", "resend_lost", "dismiss", "as_mapping"),
    ),
    "Fetching": ("fetch", "region", "api_host"),
    "Source": (
        *("spec", "since", "until", "lookback", "limit", "keep", "skip_unknown", "on_changed"),
        *("resend_changed", "renew"),
    ),
    "Meaning": (
        *("source_timezone", "person_properties", "identity", "max_cluster", "user_id", "uuid_compat"),
        *("labels", "group_key", "group_type", "import_id"),
    ),
    "Reading": (
        *("encoding", "delimiter", "dialect", "quote", "escape", "no_header", "columns", "nulls"),
        "no_partitions",
    ),
    "Sending": (
        *("rate", "concurrency", "max_batch_bytes", "max_batch_events", "gzip", "max_attempts", "deadline"),
        *("timeout", "min_age", "max_duration", "window"),
    ),
    "Verifying": ("verify", "wait", "delete_persons"),
    "Schedule": ("at", "timezone", "format", "image"),
    "Keeping": ("keep_days", "dedup_days"),
    "Sandbox": ("port", "app_port", "data", "bind", "v1", "faults"),
    "Telling": (
        *(
            "as_json",
            "quiet",
            "verbose",
            "log_file",
            "log_json",
            "samples",
            "pretty",
            "watch",
            "history",
            "ping",
            "notify",
            "metrics_file",
        ),
    ),
}
"""Title -> the fields of the options, in the order in which they are shown."""
