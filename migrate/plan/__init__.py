"""The first half: sources → a plan of finished events; nothing is sent.

`jobs` recognises each source's table; `gather` looks over all of them for who is who, and `census` settles it.
`planner` then goes through them, small ones together (`bundles`), one ahead of the other (`ahead`), each an
`attempt` until it is noted: `finished` turns a chunk into finished events as its `transform` says (`filters` leaves
rows out, `judged` makes the payloads, `lines` writes the rejects), `ordinals` tells identical rows apart, and the
workdir's `days` takes them. `waiting` keeps files of states until then, `progress` counts how far it is, `aside` sets
sources aside that cannot be planned. `again` plans anew what was harmed or changed. It knows nothing of
`migrate.apply`.
"""
