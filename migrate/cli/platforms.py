"""`migrate platforms`: what there is a mapping for."""

import click

from migrate import platforms


def list_platforms() -> None:
    """Print every platform with its title, its tables, and what it reads."""
    for name in platforms.names():
        module = platforms.mapping(name)
        click.echo(f"{name:<12} {module.title}")
        if module.reads:
            click.echo(f"{'':<12} reads {module.reads}")
        tables = ", ".join(table.name for table in module.tables if not table.refusal)
        click.echo(f"{'':<12} tables: {tables or 'described by --spec'}")
