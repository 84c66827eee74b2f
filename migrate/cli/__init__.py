"""The command line: what was typed → typed objects → one command's work → an exit code.

`main` runs it and answers errors. `commands` is every command on one page: its options, its help, and which module does
its work. `options` says what may be typed, each option a typed field of a frozen class (`params` says how, `kinds` what
a duration or a moment is). `settings` makes of it what a workdir is planned with, `target` where and how to send.

The work: `platforms`, `preview`, `dryrun`, `plan`, `send` (apply, resend), `run` (plan, then send), `state` (status,
rejects). `session` holds a workdir from its lock to the last line on the screen; `typed` remembers the command, to be
shown again; `consent` asks before the first event leaves; `exits` alone chooses exit codes. `schedule` prints the
`units` of a scheduler, made of `templates`.

Help answers at once: what `main` imports is light, and a command imports the module that does its work when it is
called. No other folder knows click.
"""
