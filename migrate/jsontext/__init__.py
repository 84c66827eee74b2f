"""JSON as text, for the whole house: it is parsed as little as can be, and digits are never touched.

`build` makes objects of columns, `parse` takes members and fields out of objects, `canonical` spells equal
values alike, `careful` reads records that a program did not write well, `repairs` mends what PostHog would
mangle.
"""
