"""The command that was meant by words that are none: those of kubectl, docker, systemctl and the like, and slips.

Imported only for a mistake, so that it may look into every group of commands.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches

HINTS_MAX = 3
REST_CHARS = 100

NOUNS = {
    "wf": "workflow", "flow": "workflow", "flows": "workflow", "dag": "workflow", "dags": "workflow",
    "pipeline": "workflow", "pipelines": "workflow", "definition": "workflow", "definitions": "workflow",
    "run": "runs", "job": "runs", "jobs": "runs", "execution": "runs", "executions": "runs", "instance": "runs",
    "instances": "runs", "task": "runs", "tasks": "runs",
    "schedule": "trigger", "schedules": "trigger", "webhook": "trigger", "webhooks": "trigger", "cron": "trigger",
    "dlq": "dead-letters", "letter": "dead-letters", "letters": "dead-letters", "deadletter": "dead-letters",
    "deadletters": "dead-letters", "topic": "event", "topics": "event", "ns": "namespace", "node": "cluster",
    "nodes": "cluster", "peer": "cluster", "peers": "cluster", "db": "journal", "database": "journal",
    "lua": "script", "settings": "config", "configuration": "config",
}  # fmt: skip
"""Words of others for our nouns. A noun in singular and plural is understood as it is (lazy.py)."""

VERBS: Mapping[str, tuple[str, ...]] = {
    "ls": ("list", "show"), "all": ("list",), "get": ("show", "list"), "describe": ("show", "docs"),
    "inspect": ("show", "history"), "info": ("show",), "status": ("show", "list"), "state": ("show",),
    "cat": ("show", "export"), "view": ("show",), "print": ("show",), "read": ("show",), "find": ("list",),
    "search": ("list",), "events": ("history", "list"), "tail": ("logs", "watch", "subscribe"), "log": ("logs",),
    "output": ("show",), "result": ("show",), "timeline": ("show",), "follow": ("watch", "subscribe"),
    "listen": ("subscribe",), "attach": ("watch",), "wait": ("watch",), "monitor": ("watch",),
    "rm": ("delete", "uninstall", "purge"), "remove": ("delete", "uninstall", "purge"), "del": ("delete",),
    "drop": ("delete", "purge"), "destroy": ("delete",), "prune": ("compact", "purge", "delete"),
    "clean": ("compact", "purge"), "clear": ("purge",), "vacuum": ("compact",), "gc": ("compact",),
    "apply": ("register", "apply"), "create": ("register", "apply", "set", "new", "start", "publish"),
    "add": ("register", "apply", "set", "install", "start"), "deploy": ("register", "install", "apply"),
    "push": ("register", "publish"), "put": ("register", "set"), "update": ("register", "apply", "set", "install"),
    "edit": ("register", "apply", "set"), "upgrade": ("install", "register"), "import": ("register",),
    "load": ("register", "reload"), "save": ("export", "backup"), "dump": ("export", "backup"),
    "start": ("start", "fire"), "run": ("start", "fire"), "exec": ("start",), "execute": ("start",),
    "submit": ("start",), "dispatch": ("start",), "launch": ("start",), "invoke": ("start", "fire"),
    "trigger": ("fire",), "enqueue": ("start", "publish"), "stop": ("cancel", "pause", "disable"),
    "kill": ("terminate",), "abort": ("cancel",), "end": ("cancel",), "suspend": ("pause",), "hold": ("pause",),
    "unpause": ("resume",), "continue": ("resume",), "enable": ("resume", "activate"),
    "disable": ("pause", "deactivate"), "retry": ("rerun", "redrive"), "restart": ("rerun", "reload"),
    "redo": ("rerun",), "replay": ("rerun", "redrive"), "requeue": ("redrive",), "refresh": ("reload",),
    "check": ("validate", "doctor", "check"), "lint": ("validate",), "verify": ("check", "validate"),
    "compile": ("validate",), "emit": ("publish", "fire"), "send": ("publish", "signal"), "pub": ("publish",),
    "sub": ("subscribe",), "next": ("preview",), "upcoming": ("preview",), "draw": ("graph",), "plot": ("graph",),
    "compare": ("diff",), "rollout": ("activate",),
}  # fmt: skip
"""Words of others for our verbs, the likeliest first; a group takes the first that it has."""

LINES = {
    "version": "--version", "status": "info", "top": "info", "ping": "health", "ps": "runs list", "up": "serve",
    "server": "serve", "daemon": "serve", "start": "runs start {}", "stop": "runs cancel {}",
    "apply": "workflow register {}", "deploy": "workflow register {}", "create": "init {}", "new": "init {}",
    "lint": "validate {}", "check": "validate {}", "verify": "validate {}", "compile": "validate {}",
    "eval": "expr {}", "diagnose": "doctor", "login": "token show", "whoami": "token show",
    "workflow start": "runs start {}", "workflow run": "runs start {}", "workflow exec": "runs start {}",
    "workflow execute": "runs start {}", "workflow trigger": "runs start {}", "workflow new": "init {}",
    "workflow create": "workflow register {}", "workflow init": "init {}", "workflow runs": "runs list --workflow {}",
    "workflow logs": "runs list --workflow {}", "workflow history": "workflow versions {}",
    "workflow enable": "workflow activate {}", "workflow rollback": "workflow activate {}",
    "secret get": "secret list", "secret show": "secret list", "config set": "config show",
    "config edit": "config show",
    "token list": "token show", "token create": "token rotate", "token new": "token rotate",
    "event list": "event types", "cluster list": "cluster show", "journal prune": "journal compact",
}  # fmt: skip
"""Whole phrases of others; they go before everything else. `{}` stands for what came behind."""

_SWITCHES = ("-f", "--file", "--filename")  # `kubectl apply -f FILE`; ours take it as it is

Groups = Mapping[str, Collection[str]]
"""Verbs by noun; a command without verbs is there with none."""


def meant(typed: Sequence[str], groups: Groups) -> list[str]:
    """Return the command lines, without `hostd`, that may have been meant, the likeliest first; none if none is near.

    Args:
        typed: what stood behind `hostd`, from the word on that is a command or should be one.
    """
    words = [word for word in typed if word not in _SWITCHES]
    if "help" in words[:2]:
        return _helped([word for word in words if word != "help"], groups)
    word, rest = words[0], words[1:]
    if noun := noun_of(word, groups):
        return _under(noun, rest, groups)
    if rest and _is_verb(word, groups) and (noun := noun_of(rest[0], groups)):
        return _under(noun, [word, *rest[1:]], groups)
    if phrase := LINES.get(word):
        return [_line(phrase, rest)]
    if _is_verb(word, groups):
        return _elsewhere(word, rest, groups)
    near = get_close_matches(word, groups, n=HINTS_MAX)
    fitting = [noun for noun in near if rest and rest[0] in groups[noun]]
    return [_line(f"{noun} {{}}", rest) for noun in (fitting or near)[:1]]


def meant_by_run(args: Sequence[str], groups: Groups) -> str:
    """Return what was meant by `hostd run` with a word that is no file: a verb of `runs`, else a workflow."""
    verb = args[0]
    if verb in groups["runs"] or verb in VERBS or verb == "help":
        return next(iter(meant(["runs", *args], groups)), "runs --help")
    return _line("runs start {}", args)


def noun_of(word: str, groups: Groups) -> str:
    """Return our noun for a word of somebody else's, in singular or plural; empty where it is none."""
    found = NOUNS.get(word, word)
    known = next((each for each in (found, f"{found}s", found.removesuffix("s")) if each in groups), "")
    return known if groups.get(known) else ""


def _is_verb(word: str, groups: Groups) -> bool:
    return word in VERBS or any(word in verbs for verbs in groups.values())


def _helped(words: Sequence[str], groups: Groups) -> list[str]:
    word = words[0] if words else ""
    noun = noun_of(word, groups) or (word if word in groups else "")
    verbs = [verb for verb in words[1:2] if verb in groups.get(noun, ())]
    return [" ".join([*([noun] if noun else []), *verbs, "--help"])]


def _under(noun: str, rest: Sequence[str], groups: Groups) -> list[str]:
    """Return what was meant by a verb of that noun; by the noun alone, its list."""
    verbs = groups[noun]
    verb, behind = (rest[0], rest[1:]) if rest else ("list", [])
    if phrase := LINES.get(f"{noun} {verb}"):
        return [_line(phrase, behind)]
    if verb in verbs:
        return [_line(f"{noun} {verb} {{}}", behind)]
    if not behind and verb in ("get", "status") and "list" in verbs:
        return [f"{noun} list"]
    known = [each for each in VERBS.get(verb, ()) if each in verbs] or get_close_matches(verb, verbs, n=1)
    if known:
        return [_line(f"{noun} {known[0]} {{}}", behind)]
    return _elsewhere(verb, behind, groups) if rest else [f"{noun} --help"]


def _elsewhere(verb: str, rest: Sequence[str], groups: Groups) -> list[str]:
    """Return the commands of a verb, or of the first that it stands for, under every noun that has it."""
    for each in (verb, *VERBS.get(verb, ())):
        if found := [noun for noun, verbs in groups.items() if each in verbs]:
            return [_line(f"{noun} {each} {{}}", rest) for noun in found[:HINTS_MAX]]
    return []


def _line(phrase: str, rest: Sequence[str]) -> str:
    """Return a phrase with what came behind it; a long rest is left out."""
    words = shlex.join(rest)
    return phrase.replace("{}", words if len(words) <= REST_CHARS else "...").rstrip()
