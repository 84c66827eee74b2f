"""The largest clusters are drawn with a dot for each id, as far as that can be."""

from migrate.page.clusters import gather
from migrate.report.numbers import Cluster, Identity


def identity(*sizes):
    """People whose clusters are of these sizes, the second in conflict."""
    clusters = [Cluster(size=size, ids=[f"\x1b{size}"]) for size in sizes]
    return Identity(
        people=1,
        links=1,
        merges=1,
        resolved=0,
        clusters={},
        largest=clusters,
        conflicts=1,
        conflicting=clusters[1:2],
        anonymous=0,
        refused={},
    )


def test_a_dot_is_an_id_or_several():
    """Of all clusters the same number, so that the largest is the largest."""
    found = gather(identity(900, 7, 2))
    assert [(one.size, one.path.count("h0"), one.is_conflict) for one in found.largest] == [
        (900, 900, False),
        (7, 7, True),
        (2, 2, False),
    ]
    assert found.largest[0].ids == ["\\x1b900"]
    assert [one.size for one in found.conflicting] == [7]
    large = gather(identity(50_000, 7))
    assert (large.per_dot, [one.path.count("h0") for one in large.largest]) == (17, [2_942, 1])
    assert gather(None).largest == ()
