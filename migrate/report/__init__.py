"""What people and programs are shown: numbers → screens and JSON.

`numbers` reads from a workdir what its migration has come to, typed; `states` says how the workdir is and what is next,
with the commands of `commands`; `document` writes that as JSON, on stdout and in report.json. Each screen is a module
whose `lines` yields what stands on it: `status`, `dryrun`, `rejects`, `arrived`, and `question`, which also asks. They
share `sections` (rows, people, notes), `bars` and `estimates`.
`talk` shows lines and progress to the user, on the screen that `terminal` makes: rich is known there alone.

Data goes one way: checkpoint → numbers → lines → terminal. Nothing here changes a workdir but report.json.
"""
