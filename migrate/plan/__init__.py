"""The first half: sources → a plan of finished events; nothing is sent.

`jobs` recognises each source's table; `gather` looks over all of them for who is who, and `census` settles
it; `planner` then goes through them, small ones together (`bundles`), one ahead of the other (`ahead`):
`transform` turns a chunk into finished events, `ordinals` tells identical rows apart, and the workdir's
`days` takes them. `again` plans anew what was harmed or changed. It knows nothing of `migrate.apply`.
"""
