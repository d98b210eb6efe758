"""The one place that says which hostd this is; both wheels are built with it."""

VERSION = "0.1.0"
