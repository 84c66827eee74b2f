"""A vendor's own export API → whole files in a folder, one a stretch of time, as `run` reads them.

`spans` says which stretches of hours or days there are, and what their files are called. `amplitude` and `mixpanel` say
of each vendor which request asks for a stretch, and what its answer means; `vendor` is what the two have in common.
`limits` keeps to what a vendor allows. `http` is one request, its body written to a file. `whole` reads such a file to
its end, for only what is whole is kept. `shelf` is where files are kept, whole or not at all, and `notes` what is known
of them beside. `fetcher` goes through the stretches.

This room plans nothing and sends nothing to PostHog. It knows of `apply` what all need to talk HTTP: troubles in plain
words, waiting.
"""
