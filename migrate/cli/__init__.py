"""The command line: what was typed → typed objects → one command's work → an exit code.

`main` runs it and answers errors; `commands` is every command on one page: its options, its help, and which module
does its work. `options` says what may be typed, each option a typed field of a frozen class (`params` is how), and
`settings` makes of them what a workdir is planned with. The work: `look` (platforms, preview, status, rejects),
`plan`, `dryrun`, `send` (apply, resend), `run` (plan, then send); `consent` asks before the first event leaves, `hold`
keeps a workdir from its lock to the last line on the screen, and `exits` alone chooses exit codes.

Help answers at once: `main`, `commands`, `options` and `params` import nothing heavy, and a command imports the module
that does its work when it is called. Nothing but this folder knows click.
"""
