"""The checkpoint's formats: which one is written, and what one of an earlier format has not yet."""

from typing import Final

FORMAT: Final = 16
ADDED: Final = {
    7: "CREATE TABLE history (id INTEGER PRIMARY KEY, line TEXT NOT NULL)",
    8: """
        ALTER TABLE parts ADD COLUMN fate TEXT NOT NULL DEFAULT '';
        ALTER TABLE parts ADD COLUMN is_stripped INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE rounds ADD COLUMN ended TEXT;
        UPDATE rounds SET ended = date('now') WHERE done;
        CREATE TABLE cleaned (
            day TEXT PRIMARY KEY, events INTEGER NOT NULL, bytes INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL
        ) WITHOUT ROWID;
        ALTER TABLE inputs ADD COLUMN since TEXT; ALTER TABLE inputs ADD COLUMN until TEXT;
        UPDATE inputs SET since = (SELECT json_extract(value, '$') FROM meta WHERE key = '--since');
        UPDATE inputs SET until = (SELECT json_extract(value, '$') FROM meta WHERE key = '--until');
        CREATE INDEX inputs_unplanned ON inputs (id) WHERE numbers IS NULL
    """,
    9: "ALTER TABLE parked ADD COLUMN dismissed INTEGER NOT NULL DEFAULT 0",
    10: "CREATE INDEX inputs_lead ON inputs (lead); CREATE INDEX parts_input ON parts (input)",
    11: """
        CREATE TABLE marked (
            day TEXT NOT NULL, uuid TEXT NOT NULL, event TEXT NOT NULL, round INTEGER NOT NULL,
            PRIMARY KEY (day, uuid, event)
        ) WITHOUT ROWID;
        INSERT INTO marked SELECT day, uuid, '', (SELECT max(round) FROM rounds WHERE done AND day = outdated.day)
            FROM outdated WHERE day IN (SELECT day FROM parts WHERE round IS NULL)
            AND day IN (SELECT day FROM rounds WHERE done);
        DROP TABLE outdated;
        ALTER TABLE marked RENAME TO outdated;
        ALTER TABLE rejects ADD COLUMN digest INTEGER
    """,
    12: """
        ALTER TABLE inputs ADD COLUMN rows BLOB;
        ALTER TABLE parts ADD COLUMN names BLOB; ALTER TABLE cleaned ADD COLUMN names BLOB;
        CREATE TABLE looks (id INTEGER PRIMARY KEY, look BLOB NOT NULL);
        CREATE TABLE sendings (begun INTEGER PRIMARY KEY, slot TEXT NOT NULL);
        CREATE TABLE verified (day TEXT PRIMARY KEY, there INTEGER NOT NULL, asked TEXT NOT NULL) WITHOUT ROWID
    """,
    13: """
        ALTER TABLE rounds ADD COLUMN settled BLOB; ALTER TABLE rounds ADD COLUMN duplicates BLOB;
        ALTER TABLE parked ADD COLUMN event TEXT
    """,
    14: """
        ALTER TABLE inputs ADD COLUMN home INTEGER; UPDATE inputs SET home = lead;
        CREATE INDEX inputs_home ON inputs (home);
        CREATE TABLE spans (
            path TEXT PRIMARY KEY, input INTEGER NOT NULL REFERENCES inputs, anew INTEGER NOT NULL,
            increment INTEGER NOT NULL, was INTEGER NOT NULL, days TEXT NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, size INTEGER NOT NULL, sums BLOB NOT NULL, done TEXT NOT NULL
        )
    """,
    15: """
        INSERT INTO meta SELECT 'begin_anew', json_group_array(DISTINCT day) FROM rounds
            WHERE NOT done AND accepted + duplicate + parked > 0 HAVING count(*)
    """,
}
"""What a checkpoint of an earlier format has not yet, one after another, and goes on with.

Up to 15 events of one timestamp were sent in another order: days that are half sent begin anew before anything of them
is sent, see `halves.NOTED`.
"""
