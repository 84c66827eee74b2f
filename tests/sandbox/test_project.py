"""The project of a sandbox: what it is told to be, and the group types that events brought."""

from posting import batch, event, post

from migrate.sandbox import project
from migrate.sandbox.lapses import Project
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store


def test_a_project_has_five_group_types(tmp_path):
    """A sixth is nobody's; what is no type is none."""
    odd = [{"$groups": ["a"]}, {"$groups": {"": "k"}}, {"$groups": "x"}, {"note": '"$groups"'}]
    with Sandbox(tmp_path) as sandbox:
        post(sandbox, batch(*(event(properties=one) for one in odd)))
        post(sandbox, batch(*(event(properties={"$groups": {f"t{n}": "k"}}) for n in range(6))))
    store = Store(tmp_path)
    types = project.group_types(Project(group_types=("t3",)), store)
    store.close()
    assert [one["group_type"] for one in types] == ["t3", "t0", "t1", "t2", "t4"]
    assert [one["group_type_index"] for one in types] == [0, 1, 2, 3, 4]


def test_its_key_is_the_one_it_is_told_to_have():
    """Or else the one that events came with."""
    own = Project(api_token="phc_own")  # noqa: S106 - made up
    assert [project.facts(one, "phc_seen")["api_token"] for one in (Project(), own)] == [
        "phc_seen",
        "phc_own",
    ]
