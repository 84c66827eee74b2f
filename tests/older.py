"""Checkpoints as earlier versions of ours made them, out of those that this one makes."""

AS_14 = """
    DROP VIEW IF EXISTS extents;
    DROP TABLE spans;
    DROP INDEX inputs_home;
    ALTER TABLE inputs DROP COLUMN home;
    PRAGMA user_version = 14;
"""
"""SQL that takes a checkpoint back to format 14."""
AS_13 = f"""
    {AS_14}
    ALTER TABLE rounds DROP COLUMN settled;
    ALTER TABLE rounds DROP COLUMN duplicates;
    ALTER TABLE parked DROP COLUMN event;
    PRAGMA user_version = 13;
"""
"""SQL that takes a checkpoint back to format 13."""
AS_12 = f"""
    {AS_13}
    ALTER TABLE inputs DROP COLUMN rows;
    ALTER TABLE parts DROP COLUMN names;
    ALTER TABLE cleaned DROP COLUMN names;
    DROP TABLE looks;
    DROP TABLE sendings;
    DROP TABLE verified;
    PRAGMA user_version = 12;
"""
"""SQL that takes a checkpoint back to format 12."""
