"""SQL in a spec → an expression of polars: what it calls and which columns it names is checked beforehand."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import Final, NamedTuple

import polars as pl

from mappings._table_functions import FUNCTIONS, GRAMMAR, INTEGERS, PADDING, REFUSED, WHOLE
from mappings._table_spec import near, shown
from migrate.errors import UsageError

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`[^`]*`)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<sign>::|<=>|->>|->|[<>!=]=|<>|\|\||!?~\*?|//|[-+*/%(),.<>=&|\[\]])
    |(?P<odd>.)""",
    re.VERBOSE | re.DOTALL,
)
_HINT: Final = "columns are text unless [types] says more, and CAST makes a number of one, STRPTIME a time"
_ZONED: Final = "what has a zone is compared with TIMESTAMPTZ '…', what has none with TIMESTAMP '…'"
_OF_TEXT: Final = {pl.Boolean: "BOOLEAN", pl.Date: "DATE", pl.Datetime: "TIMESTAMP", pl.Time: "TIME"}
"""What polars casts no text to -> what SQL calls it."""
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UNCLEAR: Final = "polars takes the AND and OR behind it for a part of it; use a <=> b, or NOT (a <=> b)"
_GROUP: Final = re.compile(r"\$\{|\$[0-9]|\\[0-9]")
"""What stands for a group of a pattern elsewhere."""
_BEYOND: Final = 2.0**63
_LONGEST: Final = 1_000
"""So many characters a text may be padded to."""
_JOINING: Final = frozenset({"AND", "OR", "NOT", "WHEN"})
_SEPARATING: Final = frozenset({"(", ")", "[", "]", ",", "."})
_MOST_JOINED: Final = 600
"""So many operators an expression may have: each may lie in the next, and some thousands overflow polars' stack."""
_FEWER: Final = "write values of a column as column IN ('a', 'b'), of which there may be many"


class Token(NamedTuple):
    """A piece of SQL; `word` is what it says in capitals, where it is a name without quotes."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


class Query(NamedTuple):
    """An expression of SQL: the columns it names, and what polars makes of it."""

    sql: str
    columns: tuple[str, ...]
    value: pl.Expr


def query(sql: str, where: str) -> Query:
    """Return what a text of SQL says; raise a `UsageError` that begins with `where` if it is not to be evaluated."""
    tokens = [
        Token(str(found.lastgroup), found[0]) for found in _TOKEN.finditer(sql) if found.lastgroup != "space"
    ]
    for complaint in _complaints(tokens):
        raise UsageError(f"{where}: {complaint}")
    if (joined := _joined(tokens)) > _MOST_JOINED:
        raise UsageError(
            f"{where}: {joined:,} operators (=, AND, OR, WHEN …), found {shown(sql)}, where {_MOST_JOINED} are the "
            f"most; {_FEWER}"
        )
    try:
        value = pl.sql_expr(_written(tokens))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise UsageError(f"{where}: {_said(error)}, found {shown(sql)}") from error
    if not value.meta.undo_aliases().meta.eq(value):
        raise UsageError(
            f"{where}: expected one expression, found {shown(sql)}, which names it; take the name out"
        )
    return Query(sql, tuple(dict.fromkeys(value.meta.root_names())), value)


def _joined(tokens: Sequence[Token]) -> int:
    """Return how many operators there are; the signs of numbers in a list are none."""
    before = [Token("sign", ","), *tokens]
    return sum(
        one.word in _JOINING
        or (one.kind == "sign" and one.text not in _SEPARATING and last.text not in {",", "("})
        for last, one in zip(before, tokens, strict=False)
    )


def check(found: Query, types: Mapping[str, pl.DataType], where: str) -> pl.DataType:
    """Return the type that an expression has of columns of these types; raise a `UsageError` if it cannot be.

    It is tried on no row, and on one that holds nothing.
    """
    try:
        nothing = pl.DataFrame(schema=types)
        dtype = _type(found.value, nothing)
        for rows in (nothing, nothing.clear(1)):
            rows.with_columns_seq(found.value.alias("\x1fvalue"))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        said = _said(error)
        is_zoned = "comparison" in said and said.count("Datetime(") > 1
        hint = "" if "regex" in said else f"; {_ZONED if is_zoned else _HINT}"
        raise UsageError(f"{where}: {said}{hint}, found {shown(found.sql)}") from error
    try:
        complaints = [*_uncast(found.value, nothing)]
    except RecursionError:
        raise UsageError(
            f"{where}: too many operators inside of each other, found {shown(found.sql)}; {_FEWER}"
        ) from None
    for complaint in complaints:
        raise UsageError(f"{where}: {complaint}, found {shown(found.sql)}")
    return dtype


def _type(value: pl.Expr, of: pl.DataFrame) -> pl.DataType:
    """Return the type that an expression has of a frame's columns."""
    return of.lazy().select_seq(value.alias("value")).collect_schema()["value"]


def _uncast(value: pl.Expr, of: pl.DataFrame) -> Iterator[str]:
    """Yield which text is cast to a type that polars makes of no text, which shows on rows that hold something."""
    inputs = value.meta.undo_aliases().meta.pop()
    for one in inputs:
        yield from _uncast(one, of)
    if len(inputs) != 1 or _type(inputs[0], of) != pl.String:
        return
    dtype = _type(value, of)
    if not any(value.meta.eq(inputs[0].cast(dtype, strict=strict)) for strict in (True, False)):
        return
    try:
        pl.select(pl.lit("1").cast(dtype, strict=False))
    except pl.exceptions.InvalidOperationError:
        yield f"text cannot be cast to {_instead(dtype, [*inputs[0].meta.root_names(), 'column'][0])}"


def _instead(dtype: pl.DataType, column: str) -> str:
    """Return what SQL calls a type that no text is cast to, and what to write instead of it."""
    called = next((called for base, called in _OF_TEXT.items() if isinstance(dtype, base)), str(dtype))
    called += "TZ" if getattr(dtype, "time_zone", None) else ""
    name = column if _PLAIN.fullmatch(column) else shown(column)
    if called == "BOOLEAN":
        return f'{called}; say [types] {name} = "bool"'
    if called in {"DATE", "TIMESTAMP", "TIMESTAMPTZ"}:
        return f"""{called}; say [types] {name} = "{called.lower()}", or use STRPTIME({name}, '%Y-%m-%d')"""
    return f"{called}; leave it text"


def within(value: pl.Expr, types: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return an expression that is null where a product in it is beyond 64 bits, and not what comes round."""
    inputs = value.meta.pop()[::-1]
    if len(inputs) == len(("then", "otherwise", "when")):
        then, otherwise, when = inputs
        if pl.when(when).then(then).otherwise(otherwise).meta.eq(value):
            return pl.when(when).then(within(then, types)).otherwise(within(otherwise, types))
    if inputs and pl.coalesce(inputs).meta.eq(value):
        return pl.coalesce([within(one, types) for one in inputs])
    products = [*_products(value, pl.DataFrame(schema=types))]
    if not products:
        return value
    is_beyond = [(one.cast(pl.Float64) * other.cast(pl.Float64)).abs() >= _BEYOND for one, other in products]
    return pl.when(~pl.any_horizontal(is_beyond).fill_null(value=False)).then(value)


def _products(value: pl.Expr, of: pl.DataFrame) -> Iterator[tuple[pl.Expr, pl.Expr]]:
    """Yield the factors of each product of whole numbers in an expression."""
    inputs = value.meta.pop()[::-1]
    if len(inputs) == len(("one", "other")):
        one, other = inputs
        if str(value) == f"{one}.sql_mul([{other}])" and _type(value, of).is_integer():
            yield one, other
    for each in inputs:
        yield from _products(each, of)


def _said(error: BaseException) -> str:
    """Return what polars says of an expression, in a line."""
    return str(error).partition("\n")[0].partition(" (found")[0].rstrip(".:")[:200]


def _complaints(tokens: Sequence[Token]) -> Iterator[str]:
    """Yield why SQL is not to be evaluated, a sentence each."""
    if not tokens:
        yield 'expected an SQL expression, found nothing; use {sql = "…"}'
    for place, token in enumerate(tokens):
        before = tokens[place - 1].text.upper() if place else ""
        after = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.kind == "odd" or token.text in {"->", "->>"}:
            yield _odd(token.text)
        if token.kind == "quoted":
            yield from _misquoted(token.text, after)
        if not token.word or before in {"AS", "::"}:
            continue
        refused = _refused(token, after)
        if refused is not None:
            yield refused
        elif after == "(" and token.word not in FUNCTIONS and token.word not in GRAMMAR:
            others = near(token.word, FUNCTIONS)
            told = f"did you mean {others}?" if others else f"known are {', '.join(FUNCTIONS)}"
            yield f"no function {token.text}; {told}"
        elif after == "." or (after == "[" and place + 2 < len(tokens)):
            yield f'{token.text}{after} is no column; write a path in double quotes, as "user.id" or "items[0].sku"'
        elif after == "(":
            yield from _misfed(token, _arguments(tokens, place + 1))


def _refused(token: Token, after: str) -> str | None:
    """Return why a word cannot be used that does what a spec may not; None for any other."""
    if token.word == "DISTINCT" and after.upper() == "FROM":
        return f"IS {token.text} {after} cannot be used: {_UNCLEAR}"
    is_literal = token.word in {"DATE", "TIMESTAMP"} and after.startswith("'")
    if token.word not in REFUSED or is_literal or not (after == "(" or _is_bare(token.word)):
        return None
    quoting = "" if after == "(" else f', or "{token.text}" in double quotes, if it is a column'
    return f"{token.text} cannot be used: {REFUSED[token.word]}{quoting}"


def _misfed(called: Token, arguments: Sequence[Sequence[Token]]) -> Iterator[str]:
    """Yield why a function cannot have these arguments."""
    further = arguments[1:]
    if called.word in PADDING and not any(map(_is_length, further[:1])):
        yield f"{called.text}: expected a number up to {_LONGEST} as the length; write it as it is"
    for token in chain.from_iterable(further[1:2]) if called.word == "REGEXP_REPLACE" else ():
        if token.kind == "text" and (found := _GROUP.search(token.text)):
            use = "take a part out with SPLIT_PART or SUBSTR, or replace what is around it by ''"
            yield f"{called.text}: {found[0]} stands for no group, and would be put there as it is; {use}"


def _misquoted(text: str, after: str) -> Iterator[str]:
    """Yield why a name in quotes cannot stand there."""
    name = text[1:-1]
    if after == "(":
        yield f"{text} cannot be called; write the name of a function without quotes"
    if name == "*" or (name.startswith("^") and name.endswith("$")):
        yield f"{text} cannot be used in SQL: polars takes it for a pattern of columns; name one by its own name"


def _is_bare(word: str) -> bool:
    """Return whether a word that is refused does what it does without being called, too."""
    return word in {"SELECT", "EXISTS", "OVER", "DISTINCT"} or word.startswith(("CURRENT_", "LOCALTIME"))


def _odd(sign: str) -> str:
    """Return why a sign cannot stand in SQL here."""
    if sign in {"->", "->>"}:
        return f'{sign} cannot be used; name what is inside of a column by its path in double quotes, as "user.id"'
    return f"{sign} cannot be used in an SQL expression; text stands in single quotes"


def _ends(tokens: Sequence[Token], opening: int) -> int:
    """Return where the parenthesis that opens at a place closes; the number of all, where it does not."""
    depth = 0
    for place in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        if not depth:
            return place
    return len(tokens)


def _arguments(tokens: Sequence[Token], opening: int) -> list[Sequence[Token]]:
    """Return the arguments between the parenthesis that opens at a place and the one that closes it."""
    end, depth, starts = _ends(tokens, opening), 0, [opening + 1]
    for place in range(opening, end):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        if depth == 1 and tokens[place].text == ",":
            starts.append(place + 1)
    return [tokens[one : other - 1] for one, other in pairwise([*starts, end + 1])]


def _is_length(argument: Sequence[Token]) -> bool:
    """Return whether an argument is a number, and no large one."""
    return len(argument) == 1 and argument[0].text.isdecimal() and int(argument[0].text) <= _LONGEST


def _written(tokens: Sequence[Token]) -> str:
    """Return SQL as polars is given it: whole numbers have 64 bits, wherever they come from."""
    pieces = [token.text for token in tokens]
    for place, token in enumerate(tokens):
        before = tokens[place - 1].text.upper() if place else ""
        after = tokens[place + 1].text if place + 1 < len(tokens) else ""
        if token.word in INTEGERS and before in {"AS", "::"}:
            pieces[place] = "BIGINT"
        if token.word in WHOLE and after == "(" and (end := _ends(tokens, place + 1)) < len(tokens):
            pieces[place] = f"CAST({pieces[place]}"
            pieces[end] += " AS BIGINT)"
    return " ".join(pieces)
