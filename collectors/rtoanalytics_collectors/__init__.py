"""Capture: the only part of rtoanalytics that talks to clusters. One captured fact per module.

Nothing here judges anything: what is captured goes into the evidence tables of `rtoanalytics.schemas` and is read by
the core. Importing this package loads no Kafka client; only `kafka.py` does, when a command runs.
"""
