"""The second half: a plan → PostHog, oldest day first.

`pieces` cuts what is planned into pieces for lanes: `merge` puts a day's files in time order, each event once
(`runs` merges their row groups, which `groups` reads; `duplicates` tells what is there twice),
`age` says which days are old enough. `applier` runs the lanes and notes in the checkpoint what is settled.
`sender` settles each lane's events over a transport: `batches` cuts them, `packing` makes requests of them.
`mended` is what people have changed in parked.jsonl, `target` where to send, `delivery` how.

A transport is one method, request → outcome (`outcome`). `http` posts, `limit` keeps to requests at once and
events a second, `retry` tries again; each of the last two holds another transport. `connection` puts them
together; `watch` is how others hear what is sent and why it waits, `unanswered` what it means that no answer
came, `trouble` says why in plain words. What is posted, and what an answer means, is a capture protocol
(`capture`): `capture_v0` is PostHog's `/batch/`, `capture_v1` its successor, which judges each event (`verdicts`);
`protocol` says which. `resending` is for what was parked. `halt` ends a run early. This room knows nothing of
`migrate.plan`.
"""
