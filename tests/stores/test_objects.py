from migrate.stores.objects import Object, below
from migrate.stores.tallies import Tally
from migrate.stores.urls import parsed


def test_an_object_is_what_was_listed(s3, s3_between):
    """Its stamp, size and name cost no request; what stands for a folder is none; others have other stamps."""
    for key, body in {
        "in/": b"",
        "in/a.txt": b"abc",
        "in/b/": b"",
        "in/empty": b"",
        "in/b/c.txt": b"d",
    }.items():
        s3.put(key, body)
    found = list(below(parsed(f"{s3.url}in/")))
    assert [one.as_posix().removeprefix(s3.url) for one in found] == ["in/a.txt", "in/b/c.txt", "in/empty"]
    first = found[0]
    s3_between.asked.clear()
    assert (first.name, first.entry.size, first.exists()) == ("a.txt", 3, True)
    assert s3_between.asked == []
    same = Object(f"{s3.url}in/a.txt")
    assert same.entry.stamp == first.entry.stamp == "3:900150983cd24fb0d6963f7d28e17f72"
    assert {same, first} == {first}
    assert not Object(f"{s3.url}in/none").exists()
    tally = Tally()
    with first.open("rb", tally=tally) as file:
        assert (file.read(2), file.seek(0), file.read(), file.read()) == (b"ab", 0, b"abc", b"")
    assert tally.text().startswith("0-0:")
    s3.put("in/a.txt", b"abd")
    assert Object(f"{s3.url}in/a.txt").entry.stamp != first.entry.stamp
