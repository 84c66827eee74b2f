"""Checkpoints as earlier versions of ours made them, out of those that this one makes."""

AS_12 = """
    ALTER TABLE inputs DROP COLUMN rows;
    ALTER TABLE parts DROP COLUMN names;
    ALTER TABLE cleaned DROP COLUMN names;
    DROP TABLE looks;
    DROP TABLE sendings;
    DROP TABLE verified;
    PRAGMA user_version = 12;
"""
"""SQL that takes a checkpoint back to format 12."""
