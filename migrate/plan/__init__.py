"""The first half: sources → a plan of finished events; nothing is sent.

`jobs` recognises each source's table; `gather` looks over all of them for who is who, and `census` settles it.
`planner` then goes through them, small ones together (`bundles`), each bundle one of the `units` that an executor
(`executors`; `processes`, of which each is a `worker`; `dask`, whose `cluster` has a `guest` in each of its processes;
`choosing` says which, by its name among the `kinds`) plans, several at a time: an `attempt` until its completion is
noted. What is planned `elsewhere` is packed by `handing`, and where the workdir is not seen there, what comes of it
makes a `travel`. Chunks are read `ahead`: `finished` turns a chunk into finished events as its `transform` says
(`filters` leaves rows out, `judged` makes the payloads, `lines` writes the rejects), `ordinals` tells identical rows
apart, and the workdir's `days` takes them. `waiting` keeps files of states until then, `progress` counts how far it is,
`aside` sets sources aside that cannot be planned. `again` plans anew what was harmed or changed. It knows nothing of
`migrate.apply`.
"""
