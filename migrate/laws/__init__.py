"""What holds of every mapping, tried on its sample: `migrate test` and the tests of what is built in ask the same.

    sample files ─sample─▶ rows of each table ─outcomes─▶ what becomes of them, and of rows that are a little other
                                                  └─ contract · golden · columns · ids · alone ─▶ what is broken

A law takes a `Sample` and yields what breaks it: where, and what to do. `proof` is all of them, in their order.
"""
