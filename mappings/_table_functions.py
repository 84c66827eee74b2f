"""The SQL that a spec may use: functions that depend on nothing but their arguments, each with an example."""

from typing import Final

FUNCTIONS: Final = {
    "ABS": ("ABS(i)", "7"),
    "CAST": ("CAST(i AS TEXT)", "'-7'"),
    "CEIL": ("CEIL(f)", "3"),
    "CEILING": ("CEILING(f)", "3"),
    "CHAR_LENGTH": ("CHAR_LENGTH(s)", "4"),
    "CHARACTER_LENGTH": ("CHARACTER_LENGTH(s)", "4"),
    "COALESCE": ("COALESCE(n, s)", "'Köln'"),
    "CONCAT": ("CONCAT(s, '-', n, i)", "'Köln--7'"),
    "CONCAT_WS": ("CONCAT_WS('-', s, n, i)", "'Köln--7'"),
    "DATE_PART": ("DATE_PART('year', t)", "2024"),
    "DAY": ("DAY(t)", "5"),
    "DAYOFMONTH": ("DAYOFMONTH(t)", "5"),
    "DAYOFWEEK": ("DAYOFWEEK(t)", "2"),
    "DAYOFYEAR": ("DAYOFYEAR(t)", "65"),
    "DIV": ("DIV(i, 2)", "-3"),
    "ENDS_WITH": ("ENDS_WITH(s, 'ln')", "true"),
    "EXTRACT": ("EXTRACT(HOUR FROM t)", "14"),
    "FLOOR": ("FLOOR(f)", "2"),
    "GREATEST": ("GREATEST(i, f)", "2.5"),
    "HOUR": ("HOUR(t)", "14"),
    "IF": ("IF(s = 'Köln', 'here', 'there')", "'here'"),
    "IFNULL": ("IFNULL(n, 'none')", "'none'"),
    "INITCAP": ("INITCAP('ab cd')", "'Ab Cd'"),
    "LEAST": ("LEAST(i, f)", "-7"),
    "LEFT": ("LEFT(s, 2)", "'Kö'"),
    "LENGTH": ("LENGTH(s) - 5", "-1"),
    "LOWER": ("LOWER(s)", "'köln'"),
    "LPAD": ("LPAD('7', 3, '0')", "'007'"),
    "LTRIM": ("LTRIM('  a ')", "'a '"),
    "MINUTE": ("MINUTE(t)", "30"),
    "MOD": ("MOD(i, 4)", "-3"),
    "MONTH": ("MONTH(t) * 100", "300"),
    "NULLIF": ("COALESCE(NULLIF(s, 'Köln'), 'none')", "'none'"),
    "OCTET_LENGTH": ("OCTET_LENGTH(s)", "5"),
    "QUARTER": ("QUARTER(t)", "1"),
    "REGEXP_LIKE": ("REGEXP_LIKE(s, '^k', 'i')", "true"),
    "REGEXP_REPLACE": ("REGEXP_REPLACE(s, '[^A-Z]', '_', 'g')", "'K___'"),
    "REPLACE": ("REPLACE(s, 'K', 'C')", "'Cöln'"),
    "REVERSE": ("REVERSE(s)", "'nlöK'"),
    "RIGHT": ("RIGHT(s, 2)", "'ln'"),
    "ROUND": ("ROUND(f / 4, 2)", "0.62"),
    "RPAD": ("RPAD('7', 3, '0')", "'700'"),
    "RTRIM": ("RTRIM('  a ')", "'  a'"),
    "SECOND": ("SECOND(t)", "7"),
    "SIGN": ("SIGN(i)", "-1"),
    "SPLIT_PART": ("SPLIT_PART('a/b/c', '/', 2)", "'b'"),
    "SQRT": ("SQRT(f * 10)", "5"),
    "STARTS_WITH": ("STARTS_WITH(s, 'K')", "true"),
    "STRFTIME": ("STRFTIME(t, '%d.%m.%Y')", "'05.03.2024'"),
    "STRPTIME": ("STRPTIME('05.03.24', '%d.%m.%y')", "TIMESTAMP '2024-03-05 00:00:00'"),
    "SUBSTR": ("SUBSTR(s, 2, 2)", "'öl'"),
    "SUBSTRING": ("SUBSTRING(s FROM 2 FOR 2)", "'öl'"),
    "TRIM": ("TRIM(BOTH '/' FROM '/a/')", "'a'"),
    "TRUNC": ("TRUNC(f)", "2"),
    "TRY_CAST": ("COALESCE(TRY_CAST(s AS BIGINT), 0)", "0"),
    "UPPER": ("UPPER(s)", "'KÖLN'"),
    "WEEK": ("WEEK(t)", "10"),
    "YEAR": ("YEAR(t)", "2024"),
}
"""What may be called -> an example, and what it comes to: of i = -7, f = 2.5, s = 'Köln', n = NULL, and
t = TIMESTAMP '2024-03-05 14:30:07'."""

WHOLE: Final = frozenset(
    (
        *("CHAR_LENGTH", "CHARACTER_LENGTH", "DATE_PART", "DAY", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR"),
        *("HOUR", "LENGTH", "MINUTE", "MONTH", "OCTET_LENGTH", "QUARTER", "SECOND"),
        *("WEEK", "YEAR"),
    )
)
"""What gives whole numbers of so few bits that a sum of them would come round: they are widened."""

PADDING: Final = ("LPAD", "RPAD")
"""What makes text as long as it is told, which no cell may tell."""

_CLOCK: Final = "it is another at each run; take a column of the file"
_AGGREGATE: Final = "it is made of many rows; what becomes of a row depends on that row alone"
_WINDOW: Final = "it depends on the rows around; what becomes of a row depends on that row alone"
_GUESS: Final = "it guesses the format from the rows around; use STRPTIME with a format, or [types]"
_INEXACT: Final = "its last digits differ from machine to machine"
_BYTES: Final = "it counts bytes, where SUBSTR counts characters; use SPLIT_PART or REGEXP_REPLACE"
_QUERY: Final = "a query looks at other rows; what becomes of a row depends on that row alone"

REFUSED: Final = {
    **dict.fromkeys(("NOW", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"), _CLOCK),
    **dict.fromkeys(("LOCALTIME", "LOCALTIMESTAMP", "GETDATE", "SYSDATE", "TODAY"), _CLOCK),
    **dict.fromkeys(("RANDOM", "RAND", "UUID", "GEN_RANDOM_UUID", "NEWID"), "it is another at each run"),
    **dict.fromkeys(
        (
            *(
                "SUM",
                "AVG",
                "MEAN",
                "COUNT",
                "MEDIAN",
                "STDDEV",
                "VARIANCE",
                "VAR",
                "ARRAY_AGG",
                "STRING_AGG",
            ),
            *("ANY_VALUE", "APPROX_COUNT_DISTINCT", "QUANTILE_CONT", "QUANTILE_DISC", "CORR", "COVAR"),
        ),
        _AGGREGATE,
    ),
    "MAX": f"{_AGGREGATE}; the larger of two values is GREATEST(a, b)",
    "MIN": f"{_AGGREGATE}; the smaller of two values is LEAST(a, b)",
    **dict.fromkeys(
        (
            *("OVER", "ROW_NUMBER", "RANK", "DENSE_RANK", "NTILE", "LAG", "LEAD", "FIRST", "LAST"),
            *("FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "PERCENT_RANK", "CUME_DIST"),
        ),
        _WINDOW,
    ),
    **dict.fromkeys(("SELECT", "EXISTS"), _QUERY),
    "DISTINCT": _AGGREGATE,
    **dict.fromkeys(("POSITION", "STRPOS"), _BYTES),
    "UNNEST": "it makes several rows of one",
    "COLUMNS": "it stands for columns that are not named; name them",
    **dict.fromkeys(("DATE", "DATETIME", "TIME", "TIMESTAMP"), _GUESS),
    "DATE_TRUNC": "polars does not know it without a type; use STRFTIME(t, '%Y-%m-%d %H:00:00')",
    **dict.fromkeys(
        (
            *(
                "EXP",
                "LN",
                "LOG",
                "LOG2",
                "LOG10",
                "LOG1P",
                "POW",
                "POWER",
                "CBRT",
                "SIN",
                "COS",
                "TAN",
                "COT",
            ),
            *("ASIN", "ACOS", "ATAN", "ATAN2", "DEGREES", "RADIANS"),
        ),
        _INEXACT,
    ),
}
"""What may not be called, nor stand there as a word, and why."""

INTEGERS: Final = frozenset(
    ("TINYINT", "SMALLINT", "INT", "INTEGER", "INT1", "INT2", "INT4", "INT8", "MEDIUMINT", "BIGINT")
)
"""Types that are read as BIGINT, so that a product of small ones does not come round."""

GRAMMAR: Final = frozenset(
    (
        *(
            "AND",
            "OR",
            "NOT",
            "XOR",
            "IN",
            "IS",
            "LIKE",
            "ILIKE",
            "RLIKE",
            "REGEXP",
            "BETWEEN",
            "CASE",
            "WHEN",
        ),
        *("THEN", "ELSE", "END", "FROM", "FOR", "BOTH", "LEADING", "TRAILING", "NULL", "TRUE", "FALSE"),
    )
)
"""Words that may stand before a parenthesis, and call nothing."""
