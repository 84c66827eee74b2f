"""The payloads of the sample are those that a person has read and kept."""

from migrate.laws.golden import broken, difference

LINE = '{"event":"e","properties":{"a":1,"$import_job_id":"acme-1","$lib_version":"0.1.0"}}'


def test_what_is_kept_is_compared_but_for_the_import_and_the_version(tmp_path):
    """Those are of the tool, and no golden is another for them."""
    golden = tmp_path / "acme.golden.jsonl"
    (gone,) = broken(golden, [LINE])
    assert gone == (
        str(golden),
        "is not there; --renew writes it: read it then, as it is what will be sent",
        None,
    )
    golden.write_text(LINE.replace("acme-1", "acme-2").replace("0.1.0", "9") + "\n")
    assert [*broken(golden, [LINE])] == []
    (other,) = broken(golden, [LINE.replace('"a":1', '"a":2')])
    assert other.what.startswith("2 lines differ; read them, with --renew if they are meant:\n--- ")
    assert difference(golden, [])[-1].startswith('-{"event":"e"')
