"""Who is who, over the whole input.

Links (from `migrate.kit.links`) go into `store`, the one SQLite file, whose tables stand in `schema`; `guards`
tells which of them cannot be made. `identity` decides every merge: it reads ids as numbers from `graph`, joins
them with the union-find of `forest`, and `late` finds the ids that a later run has to merge after all. SQL of
people stands in these, and in the check of `file`.

What rows and events tell of whole persons and groups are `states`: `observed` takes them from rows, `statefiles`
keeps them until all events are planned, `firsts` makes events of how people first came, `group_news` of groups,
`news` of the rest; `told` is what was told before. `clocks` judges what rows tell of a source's zone. `file` knows
where the SQLite file is, and whether it is the one it was.
"""
