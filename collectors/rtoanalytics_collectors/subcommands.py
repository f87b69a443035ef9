"""A command that takes a bundle, and has subcommands as well: `rto collect BUNDLE` and `rto collect log BUNDLE`."""

from __future__ import annotations

from typing import Any, ClassVar

from typer.core import TyperGroup


class BundleOrSubcommand(TyperGroup):
    """A group whose default command runs unless a subcommand is named first; a folder of that name is ./name."""

    DEFAULT: ClassVar[str] = "bundle"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  (typer's own kind of context)
        """Put the default command in front of arguments that name no other."""
        named = args[0] if args else ""
        if named == self.DEFAULT or named not in self.commands:
            args = [self.DEFAULT, *args]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:  # noqa: ANN401
        """The default command has no name of its own: usage and hints say what people type."""
        name, command, rest = super().resolve_command(ctx, args)
        return ("" if name == self.DEFAULT else name), command, rest
