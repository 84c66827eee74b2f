"""What an expression makes of values, for the tests of the kit."""

import polars as pl


def made(expression, **columns):
    """The expression's values over these columns of text."""
    schema = {
        name: pl.String if all(isinstance(v, str | None) for v in c) else None for name, c in columns.items()
    }
    return pl.DataFrame(columns, schema=schema).lazy().select(expression.alias("x")).collect()["x"].to_list()


def one(expression, value):
    """The expression's value for one text in column `a`."""
    return made(expression, a=[value])[0]


A, B = pl.col("a"), pl.col("b")
