"""Files that tell of others are found by their names, and opened only when they are asked for."""

import pytest
from beside import acme
from commands import KEY, migrate, summary

from migrate.beside import Beside
from migrate.errors import Unfit
from migrate.inputs.listing import sources

__all__ = ["acme"]


@pytest.fixture
def lying(tmp_path):
    """Files of these names, all known by name and some to look into."""

    def there(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x\n")
        return Beside([f"{tmp_path}/{name}" for name in names], [])

    return there


def test_a_header_file_is_found(lying, tmp_path):
    """Also where it is as it was when it was planned, and so no source of this night."""
    found = lying("in/hits.tsv", "in/names.tsv", "other/names.tsv")
    assert found.header_file(f"{tmp_path}/in/hits.tsv", "NAMES.tsv").path == tmp_path / "in" / "names.tsv"
    assert found.source(f"{tmp_path}/in/hits.tsv") is found.source(f"{tmp_path}/in/hits.tsv")
    (known,) = sources([str(tmp_path / "in" / "names.tsv")]).sources
    assert Beside([known.name], [known]).source(known.name) is known


def test_one_that_is_not_there_is_named(lying, tmp_path):
    """So are several that nobody can tell apart."""
    with pytest.raises(Unfit) as refused:
        lying("in/hits.tsv").header_file(f"{tmp_path}/in/hits.tsv", "names.tsv")
    assert refused.value.why == (
        "it has no header, and the names of its columns are in a file called names.tsv, and of the inputs none in "
        f"{tmp_path}/in is called so, none of its day elsewhere; fetch it, too (it may be in an archive of lookups), "
        "and name it, or its folder, as an input"
    )
    with pytest.raises(Unfit, match=r"are in one of .*/a/names\.tsv, .*/b/names\.tsv; leave the one"):
        lying("a/names.tsv", "b/names.tsv").header_file(f"{tmp_path}/c/hits.tsv", "names.tsv")
    found = Beside([f"{tmp_path}/gone"], [])
    with pytest.raises(Unfit, match="cannot be read any more"):
        found.source(f"{tmp_path}/gone")


def test_each_day_has_its_own_columns(acme, tmp_path):
    """Night by night; a file whose names are not there yet is set aside, and planned once they are."""
    acme()
    folder = tmp_path / "in"
    row = b"2024-04-03T11:00:00Z\tu%d\tv\tcaf\xe9\n"

    def night(code=0):
        done = migrate(
            "plan", "acme", folder, "--workdir", tmp_path / "w", "--json", env={"POSTHOG_API_KEY": KEY}
        )
        assert done.returncode == code, done.stderr
        return summary(done)["rows"]["mapped"], done.stderr

    for day, names in (("03", "at\tuser\twhat\tplace\n"), ("04", "at\tuser\tplace\twhat\n")):
        there = folder / f"2024-04-{day}"
        there.mkdir(parents=True)
        (there / "hit_data.tsv").write_bytes(row % int(day))
        (there / "names.tsv").write_text(names)
    assert night()[0] == 2
    (folder / "hit_data.tsv").write_bytes(row % 5)
    mapped, said = night(code=5)
    assert mapped == 2
    assert "hit_data.tsv: set aside: it has no header, and the names of its columns are in one of" in said
    (folder / "names.tsv").write_text("at\tuser\twhat\tmore\n")
    assert night()[0] == 3
    late = folder / "2024-04-04" / "01-acme_1.tsv"
    late.write_bytes(row % 6)
    assert night()[0] == 4
    shown = migrate("preview", "acme", late, late.parent / "names.tsv").stdout
    assert '"event":"café"' in shown
    assert '"place":"v"' in shown
