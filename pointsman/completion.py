"""Tab completion of the command line, made from its own parser."""

import argparse
from collections.abc import Iterator

SHELLS = ("bash", "zsh")
_ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"
_SCRIPT = """_pointsman() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{commands}"
  else
    case "${{COMP_WORDS[1]}} $before" in
{cases}
    esac
  fi
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}}
complete -o default -F _pointsman pointsman
"""


def completion(shell: str, commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> str:
    """A script that completes commands, options, choices and, everywhere else, files.

    Args:
        shell: bash or zsh, which runs the same through its bashcompinit.
        commands: the parser's commands.

    Raises:
        ValueError: another shell.
    """
    if shell not in SHELLS:
        raise ValueError(f"there is completion for {' and '.join(SHELLS)}, not for {shell!r}")
    names = " ".join(commands.choices)
    script = _SCRIPT.format(commands=names, cases="\n".join(_cases(commands)))
    return script if shell == "bash" else _ZSH + script


def _cases(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Iterator[str]:
    """After an option with choices these; after one that takes something else a file; else the command's options."""
    for name, command in commands.choices.items():
        words: list[str] = []
        for action in command._actions:
            words += [*action.option_strings] or [str(choice) for choice in action.choices or ()]
            if action.option_strings and action.nargs != 0:
                choices = " ".join(str(choice) for choice in action.choices or ())
                patterns = "|".join(f'"{name} {option}"' for option in action.option_strings)
                yield f'      {patterns}) words="{choices}" ;;'
        yield f'      "{name} "*) words="{" ".join(words)}" ;;'
