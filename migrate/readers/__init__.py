"""A file → frames of declared text columns, chunk by chunk; all formats are read here.

`headers` tells what a file is: format, encoding, dialect, columns. A delimiter is guessed in `delimiters`, a dialect
in `dialects`. `files` then yields its rows for a table: the format's own module (`delimited`, `jsonl`, `arrays`,
`parquet`, `orc`, `avro`) cuts it into parts, `partitions` adds what folders say, `opener` opens the objects in them
(`bags`, one bag; `shapes`, objects of the same keys; `sheet`, what is found; `flat`, undeclared columns), `chunks`
judges ids and casts what is declared. `originals` reads rows again as their file has them. What cannot be read comes
out as rejects; nothing here knows a platform.

Where a record of delimited text ends is found in `splitter` (`quoting` first makes it RFC 4180), where one of JSON
ends in `cutter` by its `structure`; `objects` and `fields` decode records of JSON.
"""
