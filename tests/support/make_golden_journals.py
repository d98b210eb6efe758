"""Adds this version's golden journals: `PYTHONPATH=.:tests/support python tests/support/make_golden_journals.py`."""

from golden_journals import add_release

add_release()
