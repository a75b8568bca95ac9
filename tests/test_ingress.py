"""The Ingresses in front of the servers, and the routes of a Gateway."""

from __future__ import annotations

from typing import Any

import pytest

from rendering import Bundle, Object, render

OUTSIDE = frozenset({("Secret", "certificate")})
ISSUER = {"certManager": {"issuer": "letsencrypt"}}
GATEWAY = {"enabled": True, "host": "example.com", "parentRefs": [{"name": "front"}]}


@pytest.fixture(scope="module")
def spec() -> Object:
    """An Ingress with TLS."""
    values = {"enabled": True, "host": "example.com", "tls": {"secretName": "certificate"}}
    (ingress,) = render({"ingress": values}, outside=OUTSIDE).of("Ingress").values()
    return dict(ingress["spec"])


def paths(ingress: Object) -> dict[str, tuple[str, str, str]]:
    """Path, its type and the Service that it leads to, by host."""
    return {
        rule["host"]: (path["path"], path["pathType"], path["backend"]["service"]["name"])
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
    }


def certificates(bundle: Bundle) -> dict[str, list[Object]]:
    """The TLS part of each Ingress."""
    return {name: made["spec"].get("tls") for name, made in bundle.of("Ingress").items()}


def test_each_host_leads_to_its_server_with_all_that_is_below(spec: Object) -> None:
    assert paths({"spec": spec}) == {
        "app.example.com": ("/", "Prefix", "clearml-webserver"),
        "api.example.com": ("/", "Prefix", "clearml-apiserver"),
        "files.example.com": ("/", "Prefix", "clearml-fileserver"),
    }


def test_the_certificate_is_for_all_hosts(spec: Object) -> None:
    (tls,) = spec["tls"]
    assert tls["hosts"] == [rule["host"] for rule in spec["rules"]]


def test_hosts_of_their_own_need_no_domain() -> None:
    parts = {part: {"hostName": f"{part}.org"} for part in ("app", "api", "files")}
    (ingress,) = render({"ingress": {"enabled": True, **parts}}).of("Ingress").values()
    assert list(paths(ingress)) == ["app.org", "api.org", "files.org"]


def test_a_host_may_have_a_certificate_of_its_own() -> None:
    common = {"enabled": True, "host": "a.org", "tls": {"secretName": "common"}}
    secrets = {("Secret", name) for name in ("common", "own")}
    bundle = render({"ingress": common | {"files": {"tlsSecretName": "own"}}}, outside=secrets)
    assert certificates(bundle)["clearml-server-ingress"] == [
        {"hosts": ["app.a.org", "api.a.org"], "secretName": "common"},
        {"hosts": ["files.a.org"], "secretName": "own"},
    ]


def test_a_server_with_an_ingress_of_its_own_leaves_the_common_one() -> None:
    own = {"enabled": True, "hostName": "*.files.org", "path": "/f", "pathType": "Exact"}
    common = {"enabled": True, "host": "example.com"}
    made = render({"ingress": common, "fileserver": {"ingress": own}}).of("Ingress")
    assert paths(made["clearml-fileserver"]) == {
        "*.files.org": ("/f", "Exact", "clearml-fileserver")
    }
    assert list(paths(made["clearml-server-ingress"])) == ["app.example.com", "api.example.com"]


@pytest.mark.parametrize("key", ["className", "ingressClassName"])
def test_the_class_has_two_names(key: str) -> None:
    own = {"enabled": True, "hostName": "api.org", key: "nginx"}
    common = {"enabled": True, "host": "example.com", key: "nginx"}
    made = render({"ingress": common, "apiserver": {"ingress": own}}).of("Ingress")
    assert [i["spec"]["ingressClassName"] for i in made.values()] == ["nginx", "nginx"]


def test_the_issuer_makes_a_certificate_for_each_ingress() -> None:
    annotated = {"cert-manager.io/cluster-issuer": "other"}
    own = {"enabled": True, "hostName": "files.org", "annotations": annotated}
    common = {"enabled": True, "host": "example.com"}
    bundle = render({"ingress": common, "fileserver": {"ingress": own}, **ISSUER})
    assert certificates(bundle) == {
        "clearml-server-ingress": [
            {
                "hosts": ["app.example.com", "api.example.com"],
                "secretName": "clearml-server-ingress-tls",
            }
        ],
        "clearml-fileserver": [{"hosts": ["files.org"], "secretName": "clearml-fileserver-tls"}],
    }
    made = bundle.of("Ingress")
    issuers = [made[name]["metadata"]["annotations"] for name in certificates(bundle)]
    # What the user says comes first.
    assert issuers == [{"cert-manager.io/cluster-issuer": "letsencrypt"}, annotated]


def test_an_own_ingress_takes_what_it_leaves_out_from_the_common_one() -> None:
    common = {
        "host": "example.com",
        "className": "nginx",
        "annotations": {"example.com/a": "common", "example.com/b": "common"},
        "tls": {"secretName": "common-tls"},
    }
    own = {"enabled": True, "annotations": {"example.com/b": "own"}}
    bundle = render(
        {"ingress": common, "apiserver": {"ingress": own}}, outside={("Secret", "common-tls")}
    )
    [(name, ingress)] = bundle.of("Ingress").items()
    assert name == "clearml-apiserver"
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["rules"][0]["host"] == "api.example.com"
    assert certificates(bundle)[name] == [
        {"hosts": ["api.example.com"], "secretName": "common-tls"}
    ]
    assert ingress["metadata"]["annotations"] == {
        "example.com/a": "common",
        "example.com/b": "own",
    }


@pytest.mark.parametrize(
    ("named", "secret"),
    [
        ({}, "clearml-webserver-tls"),
        ({"fileserver": "mine"}, "mine"),
        ({"webserver": "mine", "fileserver": "mine"}, "mine"),
    ],
)
def test_servers_on_one_host_share_its_certificate(named: dict[str, str], secret: str) -> None:
    values = {
        server: {
            "ingress": {
                "enabled": True,
                "hostName": "ml.org",
                "path": path,
                "tlsSecretName": named.get(server, ""),
            }
        }
        for server, path in (("webserver", "/"), ("apiserver", "/api"), ("fileserver", "/files"))
    }
    tls = [{"hosts": ["ml.org"], "secretName": secret}]
    assert list(certificates(render(values | ISSUER)).values()) == [tls, tls, tls]


def test_each_route_leads_to_its_server() -> None:
    services = {"webserver": 80, "apiserver": 8123, "fileserver": 8081}
    values = {"gateway": GATEWAY, "apiserver": {"service": {"port": 8123}}}
    routes = render(values).of("HTTPRoute")
    assert {name: route["spec"]["rules"] for name, route in routes.items()} == {
        f"clearml-{server}": [{"backendRefs": [{"name": f"clearml-{server}", "port": port}]}]
        for server, port in services.items()
    }


@pytest.mark.parametrize(("namespace", "kind"), [("clearml", "ClusterIssuer"), ("infra", "Issuer")])
def test_the_certificate_is_where_the_gateway_is(namespace: str, kind: str) -> None:
    parent: dict[str, Any] = {"name": "front"} | (
        {"namespace": "infra"} if namespace == "infra" else {}
    )
    gateway = GATEWAY | {"parentRefs": [parent], "tls": {"secretName": "made"}}
    issuer = {"certManager": {"issuer": "letsencrypt", "kind": kind}}
    (certificate,) = render({"gateway": gateway, **issuer}).of("Certificate").values()
    assert certificate["metadata"]["namespace"] == namespace
    assert certificate["spec"] == {
        "secretName": "made",
        "dnsNames": ["app.example.com", "api.example.com", "files.example.com"],
        "issuerRef": {"kind": kind, "name": "letsencrypt"},
    }
