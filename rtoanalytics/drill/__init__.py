"""The drill definition: drill.yaml as typed, frozen facts."""

from rtoanalytics.drill.definition import Drill
from rtoanalytics.drill.load import drill_json_schema, load_drill, parse_drill
from rtoanalytics.drill.template import STARTING_FILE

__all__ = ["STARTING_FILE", "Drill", "drill_json_schema", "load_drill", "parse_drill"]
