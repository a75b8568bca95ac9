"""The Ingress in front of the servers."""

from __future__ import annotations

import pytest

from rendering import Object, render

OUTSIDE = frozenset({("Secret", "certificate")})


@pytest.fixture(scope="module")
def spec() -> Object:
    """An Ingress with TLS."""
    values = {"enabled": True, "host": "example.com", "tls": {"secretName": "certificate"}}
    (ingress,) = render({"ingress": values}, outside=OUTSIDE).of("Ingress").values()
    return dict(ingress["spec"])


def test_each_host_leads_to_its_server_with_all_that_is_below(spec: Object) -> None:
    paths = {rule["host"]: path for rule in spec["rules"] for path in rule["http"]["paths"]}
    assert {host: path["backend"]["service"]["name"] for host, path in paths.items()} == {
        "app.example.com": "clearml-webserver",
        "api.example.com": "clearml-apiserver",
        "files.example.com": "clearml-fileserver",
    }
    assert {(path["path"], path["pathType"]) for path in paths.values()} == {("/", "Prefix")}


def test_the_certificate_is_for_all_hosts(spec: Object) -> None:
    (tls,) = spec["tls"]
    assert tls["hosts"] == [rule["host"] for rule in spec["rules"]]
