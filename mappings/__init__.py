"""One module a platform, found by its file name: `migrate plan acme …` takes the `MAPPING` of `mappings/acme.py`.

Each has the same order: what the export is, the expressions, `to_events`, `MAPPING`. Modules that begin with `_` are
parts of the platform they are named after; `_calls`, `_messages`, `_warehouse` and `_warehouse_rows` are Segment's
specification, which RudderStack speaks too. A mapping imports the kit and the errors, nothing else of ours.
"""
