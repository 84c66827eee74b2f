"""Who is who, over the whole input.

Links (from `migrate.kit.links`) go into `store`, the one SQLite file; `identity` makes people of them with
the union-find of `forest`, and decides every merge. `states` keeps what rows tell of whole persons and
groups, `clocks` what they tell of a source's zone. `file` knows where the SQLite file is, and whether it is
the one it was.
"""
