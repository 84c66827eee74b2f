"""What both halves share: the plan directory and what is known of it.

`checkpoint` says what is planned and what is acknowledged, as `records`; it is one SQLite file (`database`; `formats`
is what earlier ones lack). `renewal`, `rejects` and `parked` keep their own in it: inputs that are planned anew, rows
that were no events, events that were refused; `copies` writes the files for people of the latter two. `lost` gives
sent files up, and `halves` has a day that is half sent begin anew. `days` and `dayfile` are the finished events;
`runs` and `ordered` put those of many days in order, `spans` and `parting` those of many inputs into one file a day.
They lie here (`depot`) or in a storage (`far`), and `seals` tell a changed byte. `hold` keeps other processes out and
says what a disk refuses, `room` watches how full it is, `disk` makes bytes durable. It knows neither half.
"""
