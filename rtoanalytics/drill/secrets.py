"""Secrets do not stand in a definition: it lies in the bundle, and bundles are passed on.

A secret is written as `${NAME}` of an environment variable, which only a capture reads. What is refused here is a
literal secret: the value of a property whose name says that it is one, and a password or token inside an address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from rtoanalytics.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""`${NAME}` of an environment variable."""
SECRET_PROPERTIES = (
    "sasl.password",
    "ssl.key.password",
    "ssl.keystore.password",
    "ssl.key.pem",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.jaas.config",
)
"""Properties of the client that hold a secret. Others count as one by the words in their name."""
SECRET_FIELDS = frozenset({"password", "token", "hash_key", "database", "url", "prometheus", "listen"})
"""Keys under `collect` whose value may hold a secret: what was found there is not repeated in an error."""
_OURS = {
    "bootstrap.servers": "write it as bootstrap_servers of the cluster",
    "group.id": "collectors never join a group",
    "plugin.library.paths": "a definition does not load programs; set it in the environment",
    "sasl.kerberos.kinit.cmd": "a definition does not run programs; set it in the environment",
    "ssl.engine.location": "a definition does not load programs; set it in the environment",
}
_SECRET_WORDS = re.compile(r"password|passphrase|secret|jaas|oauthbearer\.config|key\.pem|(?:^|\.)(?:token|apikey)$")
_SECRET_PARAMETER = re.compile(
    r"(?:^|[?&;\s])(?:\w*password|pwd|passwd|passphrase|\w*secret\w*|\w*token|api_?key|auth)\s*=\s*([^&;\s]*)",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"://[^/?#]*?:([^/?#]*)@")


def is_secret(property_name: str) -> bool:
    """Whether a property of the Kafka client holds a secret.

    >>> is_secret("sasl.password"), is_secret("sasl.username"), is_secret("sasl.oauthbearer.token.endpoint.url")
    (True, False, False)
    """
    return property_name in SECRET_PROPERTIES or bool(_SECRET_WORDS.search(property_name))


def has_literal_secret(address: str) -> bool:
    """Whether an address (a URL, a database URI, a connection string) spells out a password or a token.

    >>> has_literal_secret("postgresql://drill:hunter2@db/payments")
    True
    >>> has_literal_secret("postgresql://drill:${PAYMENTS_PASSWORD}@db/payments?sslmode=require")
    False
    >>> has_literal_secret("host=db password=hunter2")
    True
    """
    found = [*_USER_INFO.findall(address), *_SECRET_PARAMETER.findall(address)]
    return any(PLACEHOLDER.sub("", part) for part in found)


def _well_formed(text: str) -> str:
    """Refuse what begins like a placeholder and is none."""
    if "${" in PLACEHOLDER.sub("", text):
        _refuse("a variable is written ${NAME}: letters, digits and _")
    return text


def _only_a_placeholder(text: str) -> str:
    if not PLACEHOLDER.fullmatch(text):
        _refuse("a secret may not stand in the definition; write ${NAME} and set that environment variable")
    return text


def _without_literal_secret(text: str) -> str:
    if has_literal_secret(text):
        _refuse("a password or token may not stand in the definition; write ${NAME} for it, or for all of the address")
    return _well_formed(text)


def _scalars(settings: object) -> object:
    """One error for a value of the wrong kind, not one for each kind that it might have been."""
    for name, value in settings.items() if isinstance(settings, dict) else ():
        if not isinstance(value, str | int | float):
            _refuse(f"{name} is a {type(value).__name__}; a property is a text, a number, true or false")
    return settings


def _checked(settings: Mapping[str, str | float | bool]) -> Mapping[str, str | float | bool]:
    for name, value in settings.items():
        _check_setting(name, value)
    return settings


def _check_setting(name: str, value: str | float | bool) -> None:  # noqa: FBT001  (a property may be true or false)
    if name in _OURS:
        _refuse(f"{name} may not be set here: {_OURS[name]}")
    if is_secret(name) and not (isinstance(value, str) and PLACEHOLDER.fullmatch(value)):
        _refuse(f"{name} holds a secret, which may not stand in the definition; write ${{NAME}} of a variable for it")
    if not is_secret(name) and (near := nearest_secret(name)):
        _refuse(f"{name} is no property of the client{near}")
    if isinstance(value, str):
        if has_literal_secret(value):
            _refuse(f"{name} holds a password or token, which may not stand in the definition; write ${{NAME}} for it")
        _well_formed(value)


def nearest_secret(name: str) -> str:
    """A hint for a misspelled secret: its value must not slip through because nobody knows its name.

    >>> nearest_secret("sasl.pasword"), nearest_secret("sasl.username"), nearest_secret("ssl.key.location")
    (' (did you mean "sasl.password"?)', '', '')
    """
    hint = nearest(name, (*SECRET_PROPERTIES, *_KNOWN))
    return hint if any(f'"{secret}"' in hint for secret in SECRET_PROPERTIES) else ""


_KNOWN = (
    "sasl.username",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.oauthbearer.method",
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.scope",
    "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.token.endpoint.url",
    "sasl.oauthbearer.grant.type",
    "sasl.oauthbearer.metadata.authentication.type",
    "sasl.oauthbearer.assertion.algorithm",
    "sasl.oauthbearer.assertion.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.jwt.template.file",
    "sasl.kerberos.service.name",
    "sasl.kerberos.keytab",
    "ssl.key.location",
    "ssl.keystore.location",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.crl.location",
)
"""Properties that look like those above and hold no secret."""


class SecretError(ValueError):
    """A value that may be a secret and cannot stand there: an error about it never repeats it."""


def _refuse(message: str) -> None:
    raise SecretError(message)


Text = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_well_formed)]
"""Text in which ${NAME} stands for an environment variable."""
Secret = Annotated[str, Field(min_length=1), AfterValidator(_only_a_placeholder)]
"""A secret: nothing but ${NAME}."""
Address = Annotated[str, Field(min_length=1, max_length=20_000), AfterValidator(_without_literal_secret)]
"""A URL or database URI; its password or token only as ${NAME}."""
Settings = Annotated[dict[str, str | int | float | bool], BeforeValidator(_scalars), AfterValidator(_checked)]
"""Properties of the Kafka client (librdkafka)."""
