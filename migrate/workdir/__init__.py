"""What both halves share: the plan directory and what is known of it.

`checkpoint` is the SQLite file that says what is planned and what is acknowledged. `days` and `dayfile` are
the finished events, `seals` what tells a changed byte. `rejects` and `parked` are what went wrong, `copies`
their files for people. `room` watches the disk. It knows neither half.
"""
