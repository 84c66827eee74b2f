"""What a mapping is written with; a mapping imports this and `migrate.errors`, nothing else of ours.

Rows come in as a lazy frame, with the columns a table declares; out go an event frame, states of persons and groups,
and links. Start with `declare`, whose docstring has a whole mapping and says what happens to a row in which order.

    declare   what a platform and its tables are
    events    the event frame that `to_events` returns, and what rows tell of persons and groups
    links     who is who, as `to_links` returns it
    expr      expressions over text: ids, numbers, times, addresses, keys and UUIDs
    values    PostHog's spellings of systems, browsers, devices, countries, addresses, clicked elements

Most mappings need no more than these five. Beside them, for what is nested, frequent or odd:

    objects   expressions over JSON objects in a column
    distinct  what is worked out once for rows that are alike
    cells     JSON in a cell, read value by value in Python
    nulls     the words that vendors write for "nothing"
    copiers   the columns that Airbyte, Fivetran and Stitch add

The others serve these: `schemas` says what the frames look like and checks them, `mistakes` what is wrong with a
declaration, `bags` are objects value by value, `uuids` keys and ids, `times` text to times and back, `elements`,
`spellings` and `countries` what `values` hands out.
"""
