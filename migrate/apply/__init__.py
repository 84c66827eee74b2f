"""The second half: a plan → PostHog, oldest day first.

`merge` puts a day's files in time order, each event once; `applier` takes them chunk by chunk, lane by lane,
and notes in the checkpoint what is settled; `sender` cuts batches (`batches`), paces them (`pacing`) and
settles each event; `transport` posts one request and says what came of it. `target` is where to, `age` which
days are old enough, `mended` what people have changed in parked.jsonl. It knows nothing of `migrate.plan`.
"""
