"""Secrets reach no message and no evidence, however they come back."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rtoanalytics.drill import parse_drill
from rtoanalytics.drill.secrets import SECRET_PROPERTIES
from rtoanalytics.errors import ClusterError, EvidenceError, Problem, UsageError
from rtoanalytics_collectors.capture.environment import Environment
from rtoanalytics_collectors.capture.guard import GuardedCollector
from rtoanalytics_collectors.capture.plan import Plan
from rtoanalytics_collectors.capture.planned import Planned, refuse_missing
from rtoanalytics_collectors.capture.secrets import HIDDEN, WITHHELD, Secrets, scrubbed
from rtoanalytics_collectors.failures import PartialLookError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rtoanalytics_collectors.sampling import Collector, Sample

DEFINITION = """\
schema_version: 1
id: secret
clusters: {primary: {bootstrap_servers: "127.0.0.1:1", settings: SETTINGS}}
flow: {name: f, topics: [{name: t}], groups: [{id: g}], downstreams: [{name: db}]}
objectives: {rto_seconds: 1}
collect:
  record_id: {hash_key: "${HASH_KEY}"}
  downstreams: {db: {database: "postgresql://u:${DB_PASSWORD}@127.0.0.1:1/x", table: t, order: id}}
  connect: [{url: "http://127.0.0.1:1", username: u, password: "${CONNECT_PASSWORD}", token: "${CONNECT_TOKEN}"}]
  metrics: [{name: m, url: "http://u:${METRICS_PASSWORD}@127.0.0.1:1/metrics", token: "${METRICS_TOKEN}"}]
  events: {listen: "127.0.0.1:0", token: "${EVENTS_TOKEN}"}
"""
VARIABLES = (
    "HASH_KEY",
    "DB_PASSWORD",
    "CONNECT_PASSWORD",
    "CONNECT_TOKEN",
    "METRICS_PASSWORD",
    "METRICS_TOKEN",
    "EVENTS_TOKEN",
)
secrets_of_people = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda text: text.strip() == text and not any(text in shown for shown in (HIDDEN, WITHHELD))
)
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda secret: secret,
    "for a URL": lambda secret: quote(secret, safe=""),
    "for a path": quote,
    "for a form": quote_plus,
    "as Python writes it": repr,
    "as JSON": json.dumps,
    "in base 64": lambda secret: base64.b64encode(secret.encode()).decode(),
}


def drill_with(name: str) -> tuple[Any, str]:
    """A definition whose setting `name` comes from the environment, and the variable."""
    return parse_drill(DEFINITION.replace("SETTINGS", f'{{{name}: "${{PLANTED}}"}}').encode()), "PLANTED"


@pytest.mark.parametrize("way", WAYS)
@given(secret=secrets_of_people, around=st.tuples(st.text(max_size=20), st.text(max_size=20)))
def test_secret_is_scrubbed_however_it_is_written(way: str, secret: str, around: tuple[str, str]) -> None:
    """Raw, encoded or escaped, and whatever stands beside it."""
    hidden = Secrets()
    hidden.add(secret)
    clean = hidden.scrub(around[0] + WAYS[way](secret) + around[1])
    assert secret not in clean
    assert WAYS[way](secret) not in clean


@given(secret=secrets_of_people, others=st.lists(secrets_of_people, max_size=3), text=st.text(max_size=60))
def test_no_secret_survives_beside_others(secret: str, others: list[str], text: str) -> None:
    """Secrets that overlap, contain each other or touch each other are all gone."""
    hidden = Secrets()
    for planted in (secret, *others):
        hidden.add(planted)
    clean = hidden.scrub(text + secret + "".join(others) + secret[:2] + secret)
    assert not any(planted in clean for planted in (secret, *others))


@settings(max_examples=25, deadline=None)  # a plan with TLS contexts each
@given(secret=secrets_of_people, place=st.sampled_from([*SECRET_PROPERTIES, *VARIABLES]))
def test_secret_planted_in_any_setting_is_in_no_message(secret: str, place: str) -> None:
    """Neither how collectors connect nor an error that repeats the setting says the secret."""
    filler = "sixteen-or-more-characters"
    assume(secret not in filler and secret not in DEFINITION)
    assume(place != "HASH_KEY" or len(secret.encode()) >= 16)
    drill, _ = drill_with(place if place in SECRET_PROPERTIES else SECRET_PROPERTIES[0])
    values = dict.fromkeys(VARIABLES, filler) | {"PLANTED": filler}
    values["PLANTED" if place in SECRET_PROPERTIES else place] = secret
    environment = Environment(values)
    plan = Plan(drill, environment)
    shown = [environment.secrets.scrub(f"{p.name} {p.connects}") for p in plan.collectors]
    assert not any(secret in line for line in shown)
    assert secret not in repr(plan.gates["primary"].connection)
    assert secret not in environment.secrets.scrub(f"cannot connect with {place}={secret}: refused")


@given(secret=secrets_of_people, name=st.sampled_from(SECRET_PROPERTIES))
def test_secret_of_an_override_is_in_no_message(secret: str, name: str) -> None:
    """A variable that sets a property of a cluster is hidden like one that the definition names."""
    drill = parse_drill(DEFINITION.replace("SETTINGS", "{}").encode())
    variable = "RTO_CLUSTER_PRIMARY_" + name.upper().replace(".", "_")
    environment = Environment({variable: secret})
    connection = environment.connection(drill, "primary")
    assert connection.settings[name] == secret
    assert environment.secrets.scrub(f"<{secret}>") in {f"<{HIDDEN}>", WITHHELD}


class Leaking:
    """A collector whose every word repeats the secret."""

    tables = ("connector_states",)
    target = "connect"

    def __init__(self, look: Sample | Exception) -> None:
        self._look = look

    def collect(self) -> Sample:
        if isinstance(self._look, Exception):
            raise self._look
        return self._look


def guarded(look: Sample | Exception) -> GuardedCollector:
    """A leaking collector under guard."""
    secrets = Secrets()
    secrets.add("hunter2")

    def make() -> Collector:
        return Leaking(look)

    planned = Planned("connectors", "connect", ("connector_states",), "", make)
    return GuardedCollector(planned, secrets, lambda: (), lambda: None)


@pytest.mark.parametrize(
    "error", [TransientError("no hunter2"), ClusterError("no hunter2"), UsageError("hunter2"), KeyError("hunter2")]
)
def test_errors_of_collectors_are_clean(error: Exception) -> None:
    """Expected or not, an error leaves a collector without the secret and without its cause."""
    with pytest.raises(ClusterError) as refusal:
        guarded(error).collect()
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_rows_are_clean() -> None:
    """What others wrote into a row, such as the trace of a failed task, repeats no secret, in partial looks too."""
    row = {"connector": "a", "state": "FAILED", "trace": "password authentication failed: hunter2"}
    sample = {"connector_states": [row]}
    assert "hunter2" not in str(guarded({"connector_states": [dict(row)]}).collect())
    with pytest.raises(PartialLookError) as partial:
        guarded(PartialLookError("hunter2", sample)).collect()
    assert "hunter2" not in str(partial.value) + str(partial.value.sample)


@pytest.mark.parametrize("error", [UsageError("hunter2"), EvidenceError([Problem("a", "hunter2", "b")])])
def test_errors_of_the_command_are_clean(error: Exception) -> None:
    """The same error, without the secret."""
    secrets = Secrets()
    secrets.add("hunter2")
    with pytest.raises(type(error)) as refusal, scrubbed(secrets):
        raise error
    assert "hunter2" not in str(refusal.value)


def test_defect_of_the_command_is_clean() -> None:
    """An error that nobody expected is another error, without the secret."""
    secrets = Secrets()
    secrets.add("hunter2")
    with pytest.raises(RuntimeError, match=r"ZeroDivisionError: \[hidden\]"), scrubbed(secrets):
        raise ZeroDivisionError("hunter2")  # noqa: EM101


def test_address_hides_its_parts() -> None:
    """Of an address that comes from the environment, the password alone and as it is decoded are hidden as well."""
    environment = Environment({"DB": "postgresql://drill:p%40ss-word@db/x?sslpassword=other-one"})
    environment.text("${DB}", "somewhere")
    for leaked in ("p%40ss-word", "p@ss-word", "other-one", "drill:p@ss-word"):
        assert environment.secrets.scrub(f"FATAL: {leaked}") == f"FATAL: {HIDDEN}"


def test_password_inside_an_address_is_encoded_for_it() -> None:
    """Any password works in the place of one; a variable that is the whole address is taken as it is."""
    environment = Environment({"P": "a/b@c[", "DB": "postgresql://u:a%2Fb@db/x"})
    assert environment.text("http://u:${P}@host:1/x?y=${P}", "") == "http://u:a%2Fb%40c%5B@host:1/x?y=a/b@c["
    assert environment.text("${DB}", "") == "postgresql://u:a%2Fb@db/x"


def test_every_missing_variable_is_one_clear_error() -> None:
    """All of them at once, each with its place; collectors that need none are not held up by them."""
    drill, _ = drill_with("sasl.password")
    plan = Plan(drill, Environment({}))
    with pytest.raises(UsageError) as refusal:
        refuse_missing(plan.collectors)
    for variable in ("PLANTED", "DB_PASSWORD", "CONNECT_TOKEN", "METRICS_TOKEN", "EVENTS_TOKEN"):
        assert f"the environment variable {variable} is not set" in str(refusal.value)
    refuse_missing([])


def test_override_stands_in_for_a_missing_variable() -> None:
    """What RTO_CLUSTER_… sets needs no variable of the definition; the longest cluster name owns a variable."""
    text = DEFINITION.replace("SETTINGS", '{sasl.password: "${PLANTED}"}')
    text = text.replace("clusters: {", "clusters: {primary-sasl: {}, ")
    environment = Environment(
        {"RTO_CLUSTER_PRIMARY_SASL_PASSWORD": "one-for-sasl", "RTO_CLUSTER_PRIMARY_SSL_KEY_PASSWORD": "another"}
    )
    drill = parse_drill(text.encode())
    assert environment.connection(drill, "primary-sasl").settings == {"password": "one-for-sasl"}
    assert environment.connection(drill, "primary").missing
    renamed = parse_drill(DEFINITION.replace("SETTINGS", '{sasl.password: "${PLANTED}"}').encode())
    connection = environment.connection(renamed, "primary")
    assert connection.settings == {"sasl.password": "one-for-sasl", "ssl.key.password": "another"}
    assert not connection.missing


def test_variable_of_no_cluster_is_told() -> None:
    """A misspelled cluster in RTO_CLUSTER_… is not passed over in silence."""
    drill, _ = drill_with("sasl.password")
    assert Environment({"RTO_CLUSTER_PRIMRY_X": "1"}).unused(drill) == ("RTO_CLUSTER_PRIMRY_X",)
