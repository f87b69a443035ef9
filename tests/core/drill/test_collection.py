"""What a definition may say of a capture: settings, secrets, sources, and every name they refer to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtoanalytics.drill import parse_drill
from rtoanalytics.drill.secrets import SECRET_PROPERTIES, has_literal_secret
from rtoanalytics.errors import DrillError

DEFINITION = """\
schema_version: 1
id: collected
clusters: {primary: {bootstrap_servers: "127.0.0.1:9092", settings: SETTINGS}, recovery: {}}
flow: {name: payments, topics: [{name: payments}], downstreams: [{name: payments-db}]}
objectives: {rto_seconds: 1}
collect: COLLECT
"""
SECRET = "hunter2-and-more"  # noqa: S105  (planted)


def parsed(settings: str = "{}", collect: str = "{}") -> object:
    """The definition with these settings and this section."""
    return parse_drill(DEFINITION.replace("SETTINGS", settings).replace("COLLECT", collect).encode())


ACCEPTED = {
    "TLS and SASL": (
        (
            "{security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: drill, sasl.password: '${PASSWORD}', "
            "enable.ssl.certificate.verification: false, socket.timeout.ms: 1000}"
        ),
        "{}",
    ),
    "OAuth": (
        (
            "{sasl.mechanism: OAUTHBEARER, sasl.oauthbearer.method: oidc, sasl.oauthbearer.client.id: drill, "
            "sasl.oauthbearer.client.secret: '${SECRET}', sasl.oauthbearer.token.endpoint.url: 'https://idp/token'}"
        ),
        "{}",
    ),
    "key in a file": ("{ssl.key.location: drill.key, ssl.key.password: '${KEY_PASSWORD}'}", "{}"),
    "address of the environment": (
        "{}",
        "{downstreams: {payments-db: {database: '${DB}', table: payments, order: id}}}",
    ),
    "password of the environment": (
        "{}",
        (
            "{downstreams: {payments-db: {database: 'postgresql://u:${P}@db/x?sslmode=require', query: 'select 1', "
            "order: id}}}"
        ),
    ),
    "keyed hash": ("{}", "{record_id: {header: id, hash_key: '${KEY}'}}"),
}


@pytest.mark.parametrize(("settings", "collect"), ACCEPTED.values(), ids=ACCEPTED)
def test_secrets_of_the_environment_are_accepted(settings: str, collect: str) -> None:
    """A definition that only names its secrets is one."""
    parsed(settings, collect)


REFUSED = {
    "unknown key": ("{downstream: {}}", 'collect.downstream: unknown key (did you mean "downstreams"?)'),
    "unknown key of a source": (
        "{downstreams: {payments-db: {files: x, colums: {}}}}",
        'unknown key (did you mean "columns"?)',
    ),
    "unknown downstream": ("{downstreams: {payment-db: {files: x}}}", 'did you mean "payments-db"?'),
    "unknown cluster": ("{mirrors: [{source: primary, target: recover}]}", 'did you mean "recovery"?'),
    "two sources": ("{downstreams: {payments-db: {files: x, topic: y}}}", "found topic and files"),
    "no source": ("{downstreams: {payments-db: {}}}", "found none"),
    "table and query": (
        "{downstreams: {payments-db: {database: x, table: t, query: q, order: id}}}",
        "table or query, one of them",
    ),
    "database without order": ("{downstreams: {payments-db: {database: x, table: t}}}", "needs order"),
    "topic without cluster": ("{downstreams: {payments-db: {topic: y}}}", "needs its cluster"),
    "connect without place": ("{connect: [{connectors: [x]}]}", "url or from status_topic"),
    "status topic without cluster": ("{connect: [{status_topic: x}]}", "belong together"),
    "metrics without place": ("{metrics: [{name: x}]}", "url or from prometheus"),
    "metrics without queries": ("{metrics: [{name: x, prometheus: 'http://h'}]}", "belong together"),
    "metrics named twice": ("{metrics: [{name: x, url: 'http://h'}, {name: x, url: 'http://i'}]}", 'names "x" twice'),
    "two identities": ("{record_id: {from: key, header: id}}", "keep one of from and header"),
    "impossible interval": ("{interval_seconds: 0}", "interval_seconds: found 0"),
    "unknown method": ("{commits: pol}", "found 'pol'"),
    "torn variable": ("{events: {listen: '${A'}}", "a variable is written ${NAME}"),
}


@pytest.mark.parametrize(("collect", "message"), REFUSED.values(), ids=REFUSED)
def test_section_that_cannot_be_is_refused_in_one_clear_line(collect: str, message: str) -> None:
    """What was found, where, and what is allowed."""
    with pytest.raises(DrillError) as refusal:
        parsed(collect=collect)
    assert message in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize("name", [*SECRET_PROPERTIES, "sasl.pasword", "sasl.oauthbearer.client.secrt", "my.password"])
def test_literal_secret_in_settings_is_refused_and_not_repeated(name: str) -> None:
    """The error names the property, misspelled ones too, and keeps what it holds to itself."""
    with pytest.raises(DrillError, match=name) as refusal:
        parsed(f"{{{name}: {SECRET}}}")
    assert SECRET not in str(refusal.value)


LITERALS = {
    "password in a URI": "{downstreams: {payments-db: {database: 'postgresql://u:SECRET@db/x', table: t, order: id}}}",
    "password in a query string": (
        "{downstreams: {payments-db: {database: 'postgresql://db/x?password=SECRET', table: t, order: id}}}"
    ),
    "password in a connection string": (
        "{downstreams: {payments-db: {database: 'host=db password=SECRET', table: t, order: id}}}"
    ),
    "half a password": (
        "{downstreams: {payments-db: {database: 'postgresql://u:${A}SECRET@db/x', table: t, order: id}}}"
    ),
    "password in a URL": "{connect: [{url: 'http://u:SECRET@connect'}]}",
    "token in a URL": "{metrics: [{name: x, url: 'http://h/metrics?token=SECRET'}]}",
    "hash key": "{record_id: {hash_key: SECRET}}",
    "password": "{connect: [{url: 'http://connect', username: u, password: SECRET}]}",
    "token": "{metrics: [{name: x, prometheus: 'http://h', queries: {up: up}, token: SECRET}]}",
    "token of the listener": "{events: {token: SECRET}}",
    "list for a password": "{connect: [{url: 'http://connect', password: [SECRET]}]}",
}


@pytest.mark.parametrize("collect", LITERALS.values(), ids=LITERALS)
def test_literal_secret_in_the_section_is_refused_and_not_repeated(collect: str) -> None:
    """Wherever a secret may stand, only a variable may; the error does not say what was found."""
    with pytest.raises(DrillError, match="collect") as refusal:
        parsed(collect=collect.replace("SECRET", SECRET))
    assert SECRET not in str(refusal.value)


def test_secret_that_is_a_number_is_not_repeated_either() -> None:
    """YAML reads 4711 as a number: the wrong type is said, the number is not."""
    with pytest.raises(DrillError) as refusal:
        parsed("{sasl.password: 4711}", "{connect: [{url: 'http://c', password: 4711}]}")
    assert "4711" not in str(refusal.value)


@pytest.mark.parametrize("name", ["bootstrap.servers", "group.id", "plugin.library.paths", "sasl.kerberos.kinit.cmd"])
def test_setting_that_a_definition_may_not_make_is_refused(name: str) -> None:
    """Neither what the collectors decide, nor what would load or run a program."""
    with pytest.raises(DrillError, match=f"{name} may not be set here"):
        parsed(f"{{{name}: x}}")


@given(st.text(st.characters(categories=["L", "N"], include_characters="-_.~%"), min_size=1))
def test_every_password_of_an_address_is_found(password: str) -> None:
    """Whatever a password is made of, one that is spelled out is seen, and one of the environment is not."""
    assert has_literal_secret(f"postgresql://drill:{password}@db:5432/payments?sslmode=require")
    assert not has_literal_secret("postgresql://drill:${PASSWORD}@db:5432/payments?sslmode=require")
