"""What a person reads when a command fails."""

from hostd.cli.complaints import complaint, exit_code, violation_line
from hostd.errors.base import HostdError, Kind, Violation


def test_reason_sentence_faults_and_fix() -> None:
    """One line each, the fix from the reasons' table last."""
    faults = (Violation("steps.a", "KEY_UNKNOWN", "nedes is no key", "did you mean needs?", "w.yaml", 3, 5),)
    error = HostdError(
        Kind.INVALID, "DOCUMENT_INVALID", "mistakes", violations=faults, details={"violations_left_out": "4"}
    )

    assert complaint(error).splitlines() == [
        "error: DOCUMENT_INVALID: mistakes",
        "  w.yaml:3:5 steps.a: KEY_UNKNOWN nedes is no key (did you mean needs?)",
        "  and 4 more",
        "fix: Correct the listed places; `hostd validate FILE` checks without a daemon.",
    ]
    assert exit_code(error) == 2


def test_a_fault_without_file_has_no_place() -> None:
    """A field of a request is named by its path alone."""
    assert violation_line(Violation("start.key", "ARGUMENT_INVALID", "too\nlong")) == (
        "start.key: ARGUMENT_INVALID too long"
    )


def test_a_mistake_of_ours_shows_its_id_and_a_hostile_message_nothing() -> None:
    """The id finds it in the daemon's log; control characters are shown."""
    text = complaint(HostdError(Kind.BUG, "BUG", "bad \x1b[2J", details={"id": "0c0ffee"}))

    assert "(id 0c0ffee)" in text
    assert "\x1b" not in text


def test_a_reason_of_a_newer_daemon_has_no_fix() -> None:
    """Unknown reasons are printed as they come."""
    assert complaint(HostdError(Kind.STATE, "BRAND_NEW", "later")) == "error: BRAND_NEW: later"


def test_one_fault_keeps_its_own_reason() -> None:
    """Where the sentence is the fault itself, the reason stands in front of it, and it is told once."""
    message = "`listen` 0.0.0.0:7 is reachable from other machines; set `tls`"
    fault = Violation("listen", "INSECURE_LISTEN", "`listen` 0.0.0.0:7 is reachable from other machines", "set `tls`")
    lines = complaint(HostdError(Kind.INVALID, "CONFIG_INVALID", message, violations=(fault,))).splitlines()
    assert lines[0] == f"error: CONFIG_INVALID: INSECURE_LISTEN: {message}"
    assert len(lines) == 2 and lines[1].startswith("fix: ")
