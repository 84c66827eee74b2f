"""Where exports lie beside the disk: objects in S3, Google Cloud Storage and Azure, and files on web servers.

`urls` says what an address names, and keeps what is secret in one; `buckets` opens what it names (`credentials`) and
asks it, and says an answer that is none as a sentence (`troubles`). An object (`objects`) is read by ranges, each held
to the object that was listed (`reading`); `writing` makes one appear whole or not at all. Nothing here knows what
stands in an object.
"""
