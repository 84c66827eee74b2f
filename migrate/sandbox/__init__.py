"""A local PostHog that behaves and misbehaves like the real one: its capture endpoint, and its private API.

    wire.py      query, headers, body → JSON text
    requests.py  JSON text → a request: its token, its events as sent
    capture.py   events as sent → events as stored, or a refusal
    wire_v1.py   headers, body → who asks of capture v1, and JSON text
    capture_v1.py  JSON text → events as stored, each with a verdict, or a refusal
    syntax.py    what is not JSON, in serde's words
    moments.py   when an event happened
    store.py     events and requests in SQLite
    fault.py     what a misbehaviour may do
    faults.py    how to misbehave
    script.py    when to misbehave
    intake.py    one request let through: read, checked, stored, answered
    endpoint.py  routes: one request in, one answer or fault out
    private.py   the private API: a key, a question, an answer in PostHog's form
    project.py   what it tells of the one project
    hogql.py     a query of a known form → SQL
    seen.py      what a query sees of what was stored
    persons.py   whose ids are
    lapses.py    what may go wrong when it is asked
    server.py    the foreground process, the background thread

Read in PostHog's public sources; nothing here is their code. Keys are compared, never stored, never logged.
"""
