"""`hostd completion`: scripts that have shells complete commands, options and names."""

from __future__ import annotations

import click

from hostd.cli.lazy import Verb
from hostd.cli.printing import say

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Verb)
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    bash: eval "$(hostd completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc, behind compinit. fish: hostd
    completion fish > ~/.config/fish/completions/hostd.fish. Ids of runs and names of workflows, triggers, plugins and
    secrets are completed too, while a daemon runs.
    """
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    maker = get_completion_class(shell)
    if maker is not None:
        say(maker(root, {}, "hostd", "_HOSTD_COMPLETE").source())
