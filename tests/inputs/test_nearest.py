"""Which file belongs to which is told by names: the folder, the archive, the day."""

import pytest

from migrate.inputs.nearest import container, nearest

DAY, NEXT = "/x/acme_2024-04-03-lookup.tar.gz!names.tsv", "/x/acme_2024-04-04-lookup.tar.gz!names.tsv"


@pytest.mark.parametrize(
    ("name", "among", "found"),
    [
        pytest.param("/x/hits.tsv", ["/x/names.tsv", "/y/names.tsv"], ["/x/names.tsv"], id="its folder"),
        pytest.param("/x/a.zip!d/hits.tsv", ["/x/a.zip!d/n.tsv", "/x/n.tsv"], ["/x/a.zip!d/n.tsv"], id="archive"),
        pytest.param("/x/01-acme_2024-04-04.tsv.gz", [DAY, NEXT], [NEXT], id="its day"),
        pytest.param("/x/acme_20240404.tsv", [DAY, NEXT], [NEXT], id="its day, spelled otherwise"),
        pytest.param("/x/01-other_2024-04-04.tsv", [DAY, NEXT], [], id="another's archive"),
        pytest.param("/x/01-acme_2024-04-05.tsv", [DAY, NEXT], [], id="a day that has none"),
        pytest.param("/x/01-acme_2024-04-05.tsv", ["/x/all/names.tsv"], ["/x/all/names.tsv"], id="no day at all"),
        pytest.param("/x/01-acme_2024-04-03.tsv", [DAY, "/x/all/names.tsv"], [DAY], id="the day before none"),
        pytest.param("/x/2024-04-03/hits.tsv", ["/x/2024-04-04/n.tsv", "/x/2024-04-03/l/n.tsv"],
                     ["/x/2024-04-03/l/n.tsv"], id="a folder of the day"),
        pytest.param("/x/a/hits.tsv", ["/x/b/n.tsv", "/x/c/n.tsv"], ["/x/b/n.tsv", "/x/c/n.tsv"], id="undecided"),
        pytest.param("/x/a/hits.tsv", ["/x/b/n.tsv", "/y/n.tsv"], ["/x/b/n.tsv"], id="the nearer folder"),
        pytest.param("/x/hits.tsv", ["/x/n-1.tsv", "/x/n-2.tsv"], ["/x/n-1.tsv", "/x/n-2.tsv"], id="parts"),
        pytest.param("/x/h_2024-04-03.tsv", ["/x/n_2024-04-03.tsv", "/x/n_2024-04-04.tsv"],
                     ["/x/n_2024-04-03.tsv"], id="of one folder that of the day"),
        pytest.param("/x/h_2024-04-03-010000.tsv", ["/x/n_2024-04-03-010000.tsv", "/x/n_2024-04-03-020000.tsv"],
                     ["/x/n_2024-04-03-010000.tsv"], id="its hour"),
        pytest.param("/x/names.tsv", ["/x/names.tsv"], [], id="never itself"),
    ],
)  # fmt: skip
def test_the_nearest_is_meant(name, among, found):
    """In whatever order they are listed."""
    assert nearest(name, among) == found
    assert sorted(nearest(name, among[::-1])) == sorted(found)


def test_a_container_is_a_folder_or_an_archive():
    """And the folder in it."""
    assert [container(one) for one in ("/x/a.tsv", "/x/a.zip!b/c.tsv", "/x/a.zip!c.tsv")] == [
        "/x",
        "/x/a.zip!b",
        "/x/a.zip!",
    ]
