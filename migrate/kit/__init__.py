"""What a mapping is written with; a mapping imports this and `migrate.errors`, nothing else of ours.

    declare   what a platform and its tables are
    events    the event frame that `to_events` returns
    links     who is who, as `to_links` returns it
    expr      the expressions most mappings need: ids, times, first values, canonical forms
    values    PostHog's spellings of systems, browsers, devices, countries, addresses

The others serve these: `bags` objects value by value, `spellings` and `countries` the words, `times` and
`elements` their two fields, `distinct` what is worked out once for rows that are alike.
"""
