"""A page on this machine to try a mapping on: rows beside what they become, and the spec in an editor.

    browser ─visitors─▶ server ─desk─▶ apart ══▶ bench ─trial─preview─▶ rows ─fields, who, warned─▶ answer
                          │            (memory)    another process, with a limit of time and of memory
                          └─ paper: the spec or the mapping, read and saved

The rows are those of `migrate preview`, made by the same functions; `kept` remembers what was read, so that a change of
the spec costs mapping alone. `assets` is the page: HTML, CSS and JavaScript as they are, without a step that builds
them. It stands above what lies beside the rooms, as `cli` and `report` do.
"""
