"""What the command line names → sources in order: files, what lies in folders, members of archives.

`listing` walks what is named (`passed` tells what it passes over); `source` is one of what it finds, with its
fingerprint. A source is opened through as many layers of compression and archives as its content shows (`layers`,
`archives`, `zips`, `tars`, `streams`). `rejected` reads rejects.jsonl as an export. Nothing here knows what stands
in a file.
"""
