"""Errors are grouped by what to do next."""

import re

from migrate import errors


def test_the_tree_drawn_is_the_tree_there_is():
    """Each class stands in the docstring's tree below its own base, with the exit code it has."""
    drawn, codes, above = {}, {}, {}
    for line in re.findall(r"^    .*$", errors.__doc__, re.MULTILINE):
        place = re.search(r"[A-Z]\w+", line)
        depth, name = (place.start() - 4) // 4, place.group()
        above[depth] = name
        drawn[name] = above.get(depth - 1, "Exception")
        if code := re.search(r"exit (\d)$", line):
            codes[name] = int(code.group(1))
    classes = [
        one for one in vars(errors).values() if isinstance(one, type) and one.__module__ == errors.__name__
    ]
    assert drawn == {one.__name__: one.__base__.__name__ for one in classes}
    assert codes == {one.__name__: one.exit_code for one in classes if "exit_code" in vars(one)}


def test_a_source_that_is_unfit_is_refused_by_name():
    """What is set aside says which source it is, and why."""
    error = errors.Unfit("a.jsonl", "empty", "has no rows")
    assert str(error) == "a.jsonl: has no rows"
    assert error.exit_code == errors.Refused.exit_code
