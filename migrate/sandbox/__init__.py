"""A local PostHog capture endpoint that behaves and misbehaves like the real one.

    wire.py      query, headers, body → JSON text
    requests.py  JSON text → a request: its token, its events as sent
    capture.py   events as sent → events as stored, or a refusal
    syntax.py    what is not JSON, in serde's words
    moments.py   when an event happened
    store.py     events and requests in SQLite
    faults.py    how to misbehave
    script.py    when to misbehave
    endpoint.py  routes: one request in, one answer or fault out
    server.py    the foreground process, the background thread

Read in PostHog's public sources; nothing here is their code. Keys are compared, never stored, never logged.
"""
