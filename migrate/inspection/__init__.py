"""What a file holds, told by its first rows alone: for who looks at an export, or describes one.

first        a file → its first rows, each value as the file has it, and what could not be read
values       one value → its kind, and what a column of them is: a type, how much of it is filled, an example
clocks       a column of times → the span it covers, and in which zone its clock is, with the evidence
roles        columns → what each could be of an event: its time, its person, its name, its key
columns      rows → all of that, column by column
formats      texts of times that are not ISO 8601 → the patterns that read them
halves       a column of times → why it is not the whole time, and what is
nested       columns of objects → what is inside of them, as columns
words        what columns are called → PostHog's own names
guesses      columns and rows → what a spec could say of them

Nothing here knows a platform, and but for `first` all is worked out from rows that are given.
"""
