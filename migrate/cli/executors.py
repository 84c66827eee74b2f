"""Who plans, as it is typed: this process, several, or the workers of a Dask cluster by its scheduler's address."""

import click
from click.shell_completion import CompletionItem

from migrate.plan.kinds import DASK, INLINE, PROCESSES, kind_of


class Executors(click.ParamType[str]):
    """A kind of executor."""

    name = "executor"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind; a cluster's with host and port."""
        if (kind := kind_of(value)) is None:
            self.fail(f"{INLINE}, {PROCESSES}, or {DASK}HOST:PORT; found '{value}'", param, ctx)
        return kind

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - as click calls it
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return what the shell offers."""
        return [CompletionItem(one) for one in (INLINE, PROCESSES, DASK) if one.startswith(incomplete)]
