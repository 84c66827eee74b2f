"""A file → frames of declared text columns, chunk by chunk; all formats are read here.

`headers` tells what a file is: format, encoding, dialect, columns. `files` then yields its rows for a table:
the format's own module (`delimited`, `jsonl`, `arrays`, `parquet`, `orc`, `avro`) cuts it into parts,
`opened` opens the objects in them, `partitions` adds what folders say, `finish` judges ids and casts what is
declared. What cannot be read comes out as rejects; nothing here knows a platform.

A delimiter is guessed in `dialects`; where a record of JSON ends is found in `cutter`.
"""
