"""Run the query chain on Apache Spark: on this machine, on a cluster, or through Spark Connect.

The texts of queries/ run as they are. pyspark is imported only when a session is opened.
"""

from rtoanalytics.engines.spark.chain import NAME, SparkEngine, answered_on, open_engine, run_queries
from rtoanalytics.engines.spark.session import Target, open_session

__all__ = ["NAME", "SparkEngine", "Target", "answered_on", "open_engine", "open_session", "run_queries"]
