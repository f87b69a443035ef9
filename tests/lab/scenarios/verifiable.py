"""Kafka's own VerifiableProducer and VerifiableConsumer run beside our collectors while a broker is killed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.harness.processes import wait_until
from tests.lab.harness.tools import VerifiableTool
from tests.lab.scenarios.conduct import RECOVER_SECONDS, START_SECONDS, Drill
from tests.lab.scenarios.definition import Plan
from tests.lab.scenarios.flow import Flow, Traffic
from tests.lab.scenarios.scenario import Scenario
from tests.lab.scenarios.truth import Consumed, Settled, Truth

if TYPE_CHECKING:
    from tests.lab.harness.kafka import LabCluster

VICTIM = 3
PLAN = Plan(
    drill_id="lab-verifiable",
    title="Kafka's verifiable producer and consumer, loss of one broker",
    kind="broker-kill",
    description=f"kill -9 of broker {VICTIM}, which leads one partition of three",
    heal=f"start broker {VICTIM} again on its own log",
    affected=(f"broker-{VICTIM}",),
)
FLOW = Flow("verifiable", has_sink=False)
_END_SECONDS = 60.0


def conduct(cluster: LabCluster, bundle: Path, traffic: Traffic) -> Truth:
    """Let the tools run, kill a broker under them, wait until they have gone on, end them."""
    with (
        tempfile.TemporaryDirectory(prefix="rto-lab-") as folder,
        Drill(cluster, bundle, PLAN, FLOW, traffic) as drill,
    ):
        drill.prepare()
        common = ("--bootstrap-server", cluster.bootstrap_servers, "--topic", FLOW.topic)
        rate = str(int(traffic.records_per_second))
        consumer = VerifiableTool(
            "VerifiableConsumer", Path(folder), *common, "--group-id", FLOW.group_id, "--reset-policy", "earliest"
        )
        producer = VerifiableTool("VerifiableProducer", Path(folder), *common, "--throughput", rate, "--acks", "-1")
        with consumer.program, producer.program:
            _wait_for_more(producer, consumer, int(traffic.records_per_second * traffic.steady_seconds), START_SECONDS)
            drill.inject()
            cluster.kill(VICTIM)
            drill.detect("another broker leads", lambda: cluster.leader(FLOW.topic, 2) not in {None, VICTIM})
            cluster.restart(VICTIM)
            drill.healed()
            _wait_for_more(producer, consumer, int(traffic.records_per_second), RECOVER_SECONDS)
            producer.end(_END_SECONDS)
            ends = drill.log_ends()
            reached = {(FLOW.topic, partition): 0 for partition in range(FLOW.partitions)}

            def has_consumed_everything() -> bool:
                for line in _consumed(consumer):
                    reached[FLOW.topic, line.partition] = line.max_offset + 1
                return reached == ends

            wait_until("the verifiable consumer to reach the log ends", has_consumed_everything, RECOVER_SECONDS)
            consumer.end(_END_SECONDS)
        return drill.conclude(
            sent=len(producer.said("producer_send_success")) + len(producer.said("producer_send_error")),
            settled=_settled(producer),
            applied=[],
            consumed=_consumed(consumer),
            tool_commits=_committed(consumer),
        )


def _wait_for_more(producer: VerifiableTool, consumer: VerifiableTool, records: int, seconds: float) -> None:
    """Wait until so many more records have been acknowledged, and so many more consumed."""
    acked = len(producer.said("producer_send_success")) + records
    consumed = sum(line.count for line in _consumed(consumer)) + records

    def have_gone_on() -> bool:
        is_ahead = len(producer.said("producer_send_success")) >= acked
        return is_ahead and sum(line.count for line in _consumed(consumer)) >= consumed

    wait_until("the verifiable tools to go on", have_gone_on, seconds, producer.program, consumer.program)


def _settled(producer: VerifiableTool) -> list[Settled]:
    acked = [Settled(x["value"], None, x["partition"], x["offset"]) for x in producer.said("producer_send_success")]
    return acked + [Settled(x["value"], x["exception"], -1, -1) for x in producer.said("producer_send_error")]


def _consumed(consumer: VerifiableTool) -> list[Consumed]:
    return [
        Consumed(p["partition"], p["minOffset"], p["maxOffset"], p["count"])
        for line in consumer.said("records_consumed")
        for p in line["partitions"]
    ]


def _committed(consumer: VerifiableTool) -> list[tuple[int, int]]:
    return [
        (o["partition"], o["offset"])
        for line in consumer.said("offsets_committed")
        if line["success"]
        for o in line["offsets"]
    ]


SCENARIO = Scenario("verifiable", PLAN.title, conduct)
