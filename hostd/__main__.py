"""`python -m hostd` is the command `hostd`."""

from hostd.cli.main import main

if __name__ == "__main__":
    main()
