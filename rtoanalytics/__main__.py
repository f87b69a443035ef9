"""`python -m rtoanalytics` is `rto`."""

from rtoanalytics.cli.main import run

if __name__ == "__main__":
    run()
