"""Where browsers reach the servers, and all that follows from it."""

from __future__ import annotations

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from config import Values
from config.addresses import guessed
from config.generation import DEFAULT_GENERATION
from config.types.merging import merge
from rendering import Bundle, render

GATEWAY = {"enabled": True, "host": "g.org", "parentRefs": [{"name": "front"}]}
LOAD_BALANCER = {"service": {"type": "LoadBalancer", "loadBalancerIP": "10.0.0.1"}}
SHORT = {"ingress": {"enabled": True, "host": "short.org"}}
S3 = {"clearml": {"clientConfigurationFilesUrl": "s3://bucket"}, "fileserver": {"enabled": False}}


def urls(values: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The public URLs of web, API and file server."""
    public = Values.read(values).public_urls
    return public.webserver, public.apiserver, public.fileserver


def ingress(host: str, **more: object) -> dict[str, Any]:
    return {"ingress": {"enabled": True, "hostName": host, **more}}


@pytest.mark.parametrize(
    ("values", "web", "api", "files"),
    [
        ({}, None, None, None),
        (SHORT, "http://app.short.org", "http://api.short.org", "http://files.short.org"),
        (
            {"ingress": SHORT["ingress"] | {"tls": {"secretName": "a"}, "hostPrefixApp": "web."}},
            "https://web.short.org",
            "https://api.short.org",
            "https://files.short.org",
        ),
        (
            {"ingress": SHORT["ingress"] | {"files": {"hostName": "f.org", "tlsSecretName": "a"}}},
            "http://app.short.org",
            "http://api.short.org",
            "https://f.org",
        ),
        # One of its own comes before the common one, and that before the Service.
        (
            SHORT | {"apiserver": ingress("own.org", path="/api/") | LOAD_BALANCER},
            "http://app.short.org",
            "http://own.org/api",
            "http://files.short.org",
        ),
        ({"gateway": GATEWAY}, "http://app.g.org", "http://api.g.org", "http://files.g.org"),
        (
            {"gateway": GATEWAY | {"tls": {"enabled": True}, "app": {"hostName": "w.org"}}},
            "https://w.org",
            "https://api.g.org",
            "https://files.g.org",
        ),
        # No URL stands for many hosts or paths.
        ({"webserver": ingress("*.w.org")}, None, None, None),
        (
            {
                "apiserver": ingress(
                    "a.org", path="/api(/|$)(.*)", pathType="ImplementationSpecific"
                )
            },
            None,
            "http://a.org/api",
            None,
        ),
        (
            {"webserver": LOAD_BALANCER, "apiserver": LOAD_BALANCER},
            "http://10.0.0.1",
            "http://10.0.0.1:8008",
            None,
        ),
        (
            {"clearml": {"nodeAddress": "fd00::1"}, "webserver": LOAD_BALANCER},
            "http://10.0.0.1",
            "http://[fd00::1]:30008",
            "http://[fd00::1]:30081",
        ),
        (
            {
                "clearml": {"nodeAddress": "node.org"},
                "apiserver": {"service": {"type": "ClusterIP"}},
                "fileserver": {"service": {"nodePort": 0}},
            },
            "http://node.org:30080",
            None,
            None,
        ),
        (
            SHORT | {"clearml": {"clientConfigurationApiUrl": "https://mine.org/a/"}},
            "http://app.short.org",
            "https://mine.org/a",
            "http://files.short.org",
        ),
        (S3, None, None, "s3://bucket"),
    ],
)
def test_public_urls(
    values: dict[str, Any], web: str | None, api: str | None, files: str | None
) -> None:
    assert urls(values) == (web, api, files)


def test_what_an_agent_is_told_itself_comes_first() -> None:
    own = {"clearmlWebHost": "http://w.org", "clearmlFilesHost": "s3://mine"}
    env = render(SHORT | {"agentservices": own}).env("clearml-agentservices")
    told = [env[f"CLEARML_{name}_HOST"] for name in ("WEB", "FILES", "API")]
    assert told == ["http://w.org", "s3://mine", "http://clearml-apiserver:8008"]


@pytest.mark.parametrize(
    ("page", "api", "files"),
    [
        ("https://app.a.org", "https://api.a.org", "https://files.a.org"),
        ("http://demoapp.a.org:81", "http://demoapi.a.org:81", "http://demofiles.a.org:81"),
        ("http://application.org", "http://application.org:8008", None),
        ("http://node:30080", "http://node:30008", "http://node:30081"),
        ("http://node:8080", "http://node:8008", "http://node:8081"),
        ("https://node/path", "https://node:8008", None),
        ("http://[fd00::1]:30080", "http://[fd00::1]:30008", "http://[fd00::1]:30081"),
    ],
)
def test_the_web_page_guesses(page: str, api: str, files: str | None) -> None:
    found = guessed(page, DEFAULT_GENERATION)
    assert (found["apiserver"], found.get("fileserver")) == (api, files)


SUB_PATHS = {
    "webserver": ingress("a.org", path="/ml"),
    "apiserver": ingress("a.org", path="/api"),
    "fileserver": ingress("a.org", path="/files"),
}


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        (SHORT, []),
        ({"gateway": GATEWAY}, []),
        ({"clearml": {"nodeAddress": "node.org"}}, []),
        (
            {"ingress": SHORT["ingress"] | {"hostPrefixApi": "rest."}},
            ["the API server is at http://rest.short.org"],
        ),
        (
            {"webserver": ingress("ml.org"), "clearml": {"nodeAddress": "ml.org"}},
            [
                "the API server is at http://ml.org:30008",
                "the file server is at http://ml.org:30081",
            ],
        ),
        (
            {"webserver": ingress("*.ml.org"), "apiserver": {"service": {"nodePort": 30100}}},
            [],
        ),
        # Links lead into the bucket by themselves.
        (
            {
                **S3,
                "webserver": ingress("app.ml.org"),
                "apiserver": ingress("api.ml.org"),
            },
            [],
        ),
        (SHORT | {"fileserver": {"ingress": {"hostName": "ml.org", "path": "/files"}}}, []),
        (SHORT | {"clearml": {"cookieDomain": "short.org"}}, []),
        (SHORT | {"clearml": {"cookieDomain": "other.org"}}, ["clearml.cookieDomain"]),
        (SHORT | {"clearml": {"cookieDomain": "ort.org"}}, ["clearml.cookieDomain"]),
        (
            SUB_PATHS,
            [
                "webserver.ingress.path",
                "fileserver.ingress.path",
                "the API server is at http://a.org/api",
                "the file server is at http://a.org/files",
            ],
        ),
    ],
)
def test_what_the_page_or_a_server_cannot_know_is_warned_of(
    values: dict[str, Any], warned: list[str]
) -> None:
    given = Values.read(values).warnings()
    warnings = [line for line in given if not line.startswith("clearml.credentials")]
    assert [w.startswith(start) for w, start in zip(warnings, warned, strict=True)] == [
        True for _ in warned
    ]


def as_told(values: dict[str, Any]) -> Bundle:
    """What servers get that can be told all that the later ones can."""
    later = merge({"clearml": {"version": "2.3.0"}}, values)
    starts = ("clearml.credentials", "clearml.nodeAddress", "fileserver.ingress.path")
    assert [w for w in Values.read(later).warnings() if not w.startswith(starts)] == []
    return render(later)


def settings(bundle: Bundle) -> dict[str, Any]:
    """What the page of later servers is told, decoded."""
    env = bundle.env("clearml-webserver").items()
    return {
        name.removeprefix("WEBSERVER__"): json.loads(value)
        for name, value in env
        if name.startswith("WEBSERVER__")
    }


def test_the_page_of_later_servers_is_told_the_urls() -> None:
    api, files = "http://a.org/api", "http://a.org/files"
    assert settings(as_told(SUB_PATHS)) == {
        "apiBaseUrl": api,
        "fileBaseUrl": files,
        "displayedServerUrls": {"apiServer": api, "filesServer": files},
    }
    assert settings(as_told({})) == {}
    assert settings(as_told(S3)) == {}


def test_later_web_servers_are_told_their_path() -> None:
    assert as_told(SUB_PATHS).env("clearml-webserver")["CLEARML_SERVER_SUB_PATH"] == "ml"
    assert "CLEARML_SERVER_SUB_PATH" not in as_told(SHORT).env("clearml-webserver")
    assert "CLEARML_SERVER_SUB_PATH" not in render(SUB_PATHS).env("clearml-webserver")
    with pytest.raises(ValueError, match="must have one part only"):
        as_told({"webserver": ingress("a.org", path="/a/b")})


@pytest.mark.parametrize(
    ("values", "domain"),
    [
        (SHORT, "short.org"),
        (SHORT | {"clearml": {"cookieDomain": "org"}}, "org"),
        ({}, None),
        ({"clearml": {"nodeAddress": "10.0.0.1"}}, None),
        ({"apiserver": ingress("api.org"), "fileserver": ingress("files.org")}, None),
        ({"apiserver": ingress("api.a.org"), "fileserver": ingress("files.b.org")}, None),
        ({"apiserver": ingress("api.a.org")}, None),
        (SUB_PATHS, None),
    ],
)
def test_the_cookie_reaches_a_file_server_that_asks_for_it(
    values: dict[str, Any], domain: str | None
) -> None:
    variable = "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN"
    assert as_told(values).env("clearml-apiserver").get(variable) == domain


def test_the_default_server_keeps_its_cookie_to_itself() -> None:
    env = render(SHORT | {"clearml": {"cookieName": "1.5"}}).env("clearml-apiserver")
    assert "CLEARML__APISERVER__AUTH__COOKIES__DOMAIN" not in env
    # Or the server would read a number.
    assert env["CLEARML__APISERVER__AUTH__SESSION_AUTH_COOKIE_NAME"] == '"1.5"'


def test_a_file_server_that_asks_for_the_cookie_knows_its_name() -> None:
    variable = "CLEARML__FILESERVER__AUTH__COOKIE_NAMES"
    named = {"clearml": {"cookieName": "mine"}}
    assert as_told(named).env("clearml-fileserver")[variable] == '["mine"]'
    assert variable not in as_told({}).env("clearml-fileserver")
    assert variable not in render(named).env("clearml-fileserver")


ABSENT = {
    "webserver": {},
    "apiserver": {"clearml": {"clientConfigurationApiUrl": "http://api.org"}},
    "fileserver": {"clearml": {"clientConfigurationFilesUrl": "s3://bucket"}},
}


@pytest.mark.parametrize("server", ABSENT)
@pytest.mark.parametrize("front", [SHORT, {"gateway": GATEWAY}], ids=["ingress", "gateway"])
def test_of_a_server_that_is_elsewhere_there_is_nothing(server: str, front: dict[str, Any]) -> None:
    bundle = render({**front, **ABSENT[server], server: {"enabled": False}})
    assert not [name for _, name in bundle.inventory if server in name]
    assert f"clearml-{server}" not in str([*bundle.of("Ingress").values(), *bundle.workloads])
    others = {"webserver", "apiserver", "fileserver"} - {server}
    assert {f"clearml-{other}" for other in others} <= bundle.workloads.keys()


def test_the_proxy_starts_without_a_file_server() -> None:
    address = render(S3).env("clearml-webserver")["NGINX_FILESERVER_ADDRESS"]
    # It looks up names when it starts, and ends if there is one that it does not find.
    assert ipaddress.ip_address(urlsplit(address).hostname or "").is_loopback


def test_the_ingress_of_a_server_elsewhere_does_not_count() -> None:
    assert Values.read({"gateway": GATEWAY, **S3, "fileserver": {"enabled": False, **ingress("a")}})


def test_servers_elsewhere_take_no_names_and_ports() -> None:
    values = S3 | {
        "fileserver": {"enabled": False, "service": {"nodePort": 30080}},
        "mongodb": {"service": {"name": "clearml-fileserver"}},
    }
    assert ("Service", "clearml-fileserver") in render(values).inventory


def test_agents_alone_need_no_server_here() -> None:
    off: dict[str, Any] = {"enabled": False}
    stores = dict.fromkeys(("mongodb", "redis", "elasticsearch"), off)
    own = {"clearml": ABSENT["apiserver"]["clearml"] | ABSENT["fileserver"]["clearml"]}
    bundle = render({**stores, **dict.fromkeys(ABSENT, off), **own})
    assert bundle.workloads.keys() == {"clearml-agentservices", "clearml-agent-group0-agent"}
    env = bundle.env("clearml-agentservices")
    assert (env["CLEARML_API_HOST"], env["CLEARML_FILES_HOST"]) == ("http://api.org", "s3://bucket")
    assert bundle.container("clearml-agentservices", "wait-for-apiserver")["args"] == [
        "apiserver=tcp://api.org:80"
    ]


def test_agents_that_are_told_their_servers_themselves_need_no_others() -> None:
    off: dict[str, Any] = {"enabled": False}
    told = {"clearmlApiHost": "http://api.org", "clearmlFilesHost": "s3://bucket"}
    agents = {"agentservices": off, "agentGroups": {"agent-group0": told}}
    env = render({**dict.fromkeys(ABSENT, off), **agents}).env("clearml-agent-group0-agent")
    assert (env["CLEARML_API_HOST"], env["CLEARML_FILES_HOST"]) == ("http://api.org", "s3://bucket")


def test_without_servers_there_is_nothing_in_front_of_them() -> None:
    off: dict[str, Any] = {"enabled": False}
    agents = {"agentservices": off, "agentGroups": {"agent-group0": off}}
    gateway = {"gateway": GATEWAY | {"tls": {"secretName": "made"}}, "certManager": {"issuer": "a"}}
    nothing = {**dict.fromkeys(ABSENT, off), **agents}
    assert render({**nothing, **gateway}).files == render(nothing).files


def test_servers_that_nobody_needs_need_no_address() -> None:
    off: dict[str, Any] = {"enabled": False}
    agents = {"agentservices": off, "agentGroups": {"agent-group0": off}}
    assert Values.read(agents | {"fileserver": off})
    assert Values.read(agents | {"apiserver": off, "webserver": off})


IN_FRONT = {
    "route.openshift.io/termination": "edge",
    "alb.ingress.kubernetes.io/certificate-arn": "arn:aws:acm:eu-west-1:1:certificate/a",
    "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}, {"HTTPS":443}]',
    "alb.ingress.kubernetes.io/ssl-redirect": "443",
    "networking.gke.io/managed-certificates": "clearml",
    "ingress.gcp.kubernetes.io/pre-shared-cert": "clearml",
    "networking.gke.io/v1beta1.FrontendConfig": "redirect",
    "kubernetes.io/ingress.allow-http": "false",
    "traefik.ingress.kubernetes.io/router.tls": "true",
    "traefik.ingress.kubernetes.io/router.tls.certresolver": "le",
    "traefik.ingress.kubernetes.io/router.entrypoints": "web,websecure",
    "traefik.ingress.kubernetes.io/router.middlewares": "kube-redirect-https@kubernetescrd",
    "nginx.ingress.kubernetes.io/force-ssl-redirect": "true",
    "nginx.ingress.kubernetes.io/ssl-passthrough": "true",
    "nginx.org/redirect-to-https": "True",
    "haproxy.org/ssl-redirect": "true",
    "haproxy-ingress.github.io/ssl-redirect": "true",
    "appgw.ingress.kubernetes.io/appgw-ssl-certificate": "clearml",
    "alb.ingress.kubernetes.io/actions.to-tls": '{"RedirectConfig": {"Protocol": "HTTPS"}}',
    "konghq.com/protocols": "https",
    "k8s.apisix.apache.org/http-to-https": "true",
    "oci-native-ingress.oraclecloud.com/certificate-ocid": "ocid1.certificate.oc1..a",
    "kubernetes.azure.com/tls-cert-keyvault-uri": "https://vault.example.com/certificates/a",
    "kubernetes.io/ingress.class": "tailscale",
}
PLAIN = {
    "nginx.ingress.kubernetes.io/ssl-redirect": "false",
    "nginx.ingress.kubernetes.io/proxy-body-size": "0",
    "nginx.ingress.kubernetes.io/backend-protocol": "HTTP",
    "nginx.ingress.kubernetes.io/rewrite-target": "/$2",
    "traefik.ingress.kubernetes.io/router.tls": "false",
    "traefik.ingress.kubernetes.io/router.entrypoints": "web",
    "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}]',
    "alb.ingress.kubernetes.io/backend-protocol": "HTTP",
    "external-dns.alpha.kubernetes.io/hostname": "https.example.com",
    "link.argocd.argoproj.io/external-link": "https://wiki.example.com",
    "alb.ingress.kubernetes.io/healthcheck-protocol": "HTTPS",
    "acme.example.com/classless": "a",
    "konghq.com/protocols": "http",
    "kubernetes.io/ingress.class": "nginx",
}
UNCLEAR = {
    "cert-manager.io/cluster-issuer": "letsencrypt",
    "kubernetes.io/tls-acme": "true",
    "alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS":8443}]',
    "ingress.example.com/tls-profile": "modern",
    "nginx.ingress.kubernetes.io/ssl-ciphers": "HIGH",
    "nginx.ingress.kubernetes.io/configuration-snippet": "set $scheme https;",
    "external-dns.alpha.kubernetes.io/cloudflare-proxied": "true",
    "nginx.ingress.kubernetes.io/auth-signin": "https://$host/oauth2/start",
}
ANNOTATED = [
    *((key, value, "https") for key, value in IN_FRONT.items()),
    *((key, value, "http") for key, value in PLAIN.items()),
    *((key, value, None) for key, value in UNCLEAR.items()),
]
FOREIGN = ("shop.org", "rest.org", "blobs.org")  # which no page would find


def in_front(kind: str, annotations: dict[str, str]) -> tuple[dict[str, Any], str]:
    """An Ingress for all servers, or one for each, with annotations; and where they stand."""
    version = {"clearml": {"version": "2.3.0"}}
    if kind == "common":
        hosts = {
            part: {"hostName": host}
            for part, host in zip(("app", "api", "files"), FOREIGN, strict=True)
        }
        return version | {
            "ingress": {"enabled": True, "annotations": annotations, **hosts}
        }, "ingress.annotations"
    own = {
        server: ingress(host, annotations=annotations)
        for server, host in zip(ABSENT, FOREIGN, strict=True)
    }
    return version | own, "webserver.ingress.annotations"


@pytest.mark.parametrize("kind", ["common", "own"])
@pytest.mark.parametrize(("key", "value", "scheme"), ANNOTATED)
def test_annotations_tell_whether_tls_ends_in_front(
    key: str, value: str, scheme: str | None, kind: str
) -> None:
    values, where = in_front(kind, {key: value})
    expected = tuple(f"{scheme}://{host}" for host in FOREIGN) if scheme else (None,) * 3
    assert urls(values) == expected
    warned = [w for w in Values.read(values).warnings() if w.startswith(f"{where}[{key}]: ")]
    assert len(warned) == (scheme is None)
    for given in ("http", "https"):
        said = merge(values, {"clearml": {"urlScheme": given}})
        assert urls(said) == tuple(f"{given}://{host}" for host in FOREIGN)
        assert not [w for w in Values.read(said).warnings() if key in w]


def test_the_page_guesses_where_the_scheme_is_open_and_the_cookie_is_for_its_domain() -> None:
    annotations = {"nginx.ingress.kubernetes.io/ssl-ciphers": "HIGH"}
    values = {"ingress": SHORT["ingress"] | {"annotations": annotations}}
    later = merge({"clearml": {"version": "2.3.0"}}, values)
    bundle = render(later)
    assert settings(bundle) == {}
    domain = bundle.env("clearml-apiserver")["CLEARML__APISERVER__AUTH__COOKIES__DOMAIN"]
    assert domain == "short.org"
    # Files are found by either URL.
    prefixes = bundle.env("clearml-apiserver")[
        "CLEARML__SERVICES__ASYNC_URLS_DELETE__FILESERVER__URL_PREFIXES"
    ]
    assert {"https://files.short.org/", "http://files.short.org/"} <= set(json.loads(prefixes))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        # It finds them by itself, over HTTP and HTTPS alike.
        (SHORT, {}),
        ({"clearml": {"nodeAddress": "node.org"}}, {}),
        (
            {"ingress": SHORT["ingress"] | {"tls": {"secretName": "a"}}},
            {"apiBaseUrl": "https://api.short.org", "fileBaseUrl": "https://files.short.org"},
        ),
        (
            {"ingress": SHORT["ingress"] | {"hostPrefixApi": "rest."}},
            {"apiBaseUrl": "http://rest.short.org"},
        ),
        # No page over HTTPS may ask these.
        (
            SHORT
            | {
                "clearml": {"clientConfigurationWebUrl": "https://shop.org"},
                "apiserver": ingress("rest.org"),
            },
            {},
        ),
    ],
)
def test_a_page_that_may_come_over_https_is_told_no_http(
    values: dict[str, Any], told: dict[str, str]
) -> None:
    later = merge({"clearml": {"version": "2.3.0"}}, values)
    found = settings(render(later, outside=frozenset({("Secret", "a")})))
    assert {name: url for name, url in found.items() if name != "displayedServerUrls"} == told


def test_servers_that_a_page_may_not_ask_are_warned_of() -> None:
    values = SHORT | {"clearml": {"clientConfigurationWebUrl": "https://app.short.org"}}
    warned = [w for w in Values.read(values).warnings() if "browsers do not let" in w]
    keys = ["clearml.clientConfigurationApiUrl", "clearml.clientConfigurationFilesUrl"]
    assert [w.partition(":")[0] for w in warned] == keys


@pytest.mark.parametrize(
    ("parent", "scheme"),
    [
        ({}, "http"),
        ({"sectionName": "web"}, "http"),
        ({"sectionName": "insecure"}, "http"),
        ({"port": 80}, "http"),
        ({"sectionName": "https-clearml"}, "https"),
        ({"sectionName": "websecure"}, "https"),
        ({"port": 443}, "https"),
    ],
)
def test_listeners_tell_whether_tls_ends_at_the_gateway(
    parent: dict[str, Any], scheme: str
) -> None:
    gateway = GATEWAY | {"parentRefs": [{"name": "front", **parent}]}
    assert urls({"gateway": gateway})[0] == f"{scheme}://app.g.org"


AWS = "service.beta.kubernetes.io/aws-load-balancer-"


@pytest.mark.parametrize(
    ("port", "annotations", "url"),
    [
        (443, {}, "https://10.0.0.1"),
        (443, {f"{AWS}ssl-cert": "arn:a"}, "https://10.0.0.1"),
        (8443, {f"{AWS}ssl-cert": "arn:a"}, "https://10.0.0.1:8443"),
        (80, {f"{AWS}ssl-cert": "arn:a", f"{AWS}ssl-ports": "443"}, "http://10.0.0.1"),
        (443, {f"{AWS}ssl-cert": "arn:a", f"{AWS}ssl-ports": "443, 8443"}, "https://10.0.0.1"),
        (
            8443,
            {"service.beta.kubernetes.io/oci-load-balancer-ssl-ports": "8443"},
            "https://10.0.0.1:8443",
        ),
        (80, {"service.beta.kubernetes.io/oci-load-balancer-ssl-ports": "8443"}, "http://10.0.0.1"),
        (80, {f"{AWS}healthcheck-protocol": "https"}, "http://10.0.0.1"),
        (80, {f"{AWS}backend-protocol": "https", f"{AWS}type": "nlb"}, "http://10.0.0.1"),
        (
            8081,
            {"service.beta.kubernetes.io/do-loadbalancer-protocol": "https"},
            "https://10.0.0.1:8081",
        ),
        (8081, {"load-balancer.hetzner.cloud/protocol": "https"}, "https://10.0.0.1:8081"),
        (8081, {"load-balancer.hetzner.cloud/protocol": "tcp"}, "http://10.0.0.1:8081"),
        (
            8081,
            {"loadbalancer.openstack.org/default-tls-container-ref": "a"},
            "https://10.0.0.1:8081",
        ),
        (80, {"lb.example.com/tls-policy": "modern"}, None),
    ],
)
def test_load_balancers_may_end_tls(
    port: int, annotations: dict[str, str], url: str | None
) -> None:
    service = LOAD_BALANCER["service"] | {"port": port, "annotations": annotations}
    values = {"fileserver": {"service": service}}
    assert urls(values)[2] == url
    warned = [w for w in Values.read(values).warnings() if "[lb.example.com" in w]
    assert len(warned) == (url is None)


@pytest.mark.parametrize(
    ("path", "literal"),
    [
        ("/files", "/files"),
        ("/files/", "/files"),
        ("/files(/|$)(.*)", "/files"),
        ("/files/?(.*)", "/files"),
        ("/files(/.*)?$", "/files"),
        ("/(files)/(.*)", "/files"),
        ("/(?:ml)/files(?:/|$)(.*)", "/ml/files"),
        ("/files/*", "/files"),
        ("/files/.*", "/files"),
        ("/files.*", "/files"),
        ("/(.*)", ""),
        ("/*", ""),
        ("/files[0-9]+/(.*)", None),
        ("/(a|b)/(.*)", None),
        ("/files/?$", None),
        ("/files(", None),
    ],
)
def test_the_literal_beginning_of_a_path_is_in_the_url(path: str, literal: str | None) -> None:
    values = {
        "clearml": {"version": "2.3.0"},
        "fileserver": ingress("ml.org", path=path, pathType="ImplementationSpecific"),
    }
    assert urls(values)[2] == (None if literal is None else f"http://ml.org{literal}")
    warned = [w for w in Values.read(values).warnings() if w.startswith("fileserver.ingress.path")]
    # Or else it warns that the server does not know a plain path.
    assert ["clearml.clientConfigurationFilesUrl" in w for w in warned] in (
        [[True]] if literal is None else [[], [False]]
    )
    given = merge(values, {"clearml": {"clientConfigurationFilesUrl": "http://f.org"}})
    assert not [w for w in Values.read(given).warnings() if "does not tell" in w]


LOOPBACK = [
    "localhost",
    "ml.localhost",
    "LOCALHOST",
    "127.0.0.1",
    "127.8.9.1",
    "127.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "127.0.0.1.nip.io",
    "files.127-0-0-1.nip.io",
    "files-127-0-0-1.sslip.io",
    "7f000001.nip.io",
    "127.0.0.1.traefik.me",
    "files.localtest.me",
    "lvh.me",
]
ELSEWHERE = [
    "10.0.0.1",
    "10.0.0.1.nip.io",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "mylvh.me",
    "[fd00::1]",
    "128.0.0.1",
]


@pytest.mark.parametrize("host", [*LOOPBACK, *ELSEWHERE])
def test_agents_find_nobody_at_an_address_that_means_the_pod_itself(host: str) -> None:
    given = {"clearml": {"clientConfigurationFilesUrl": f"http://{host}:8081"}}
    warned = [w for w in Values.read(given).warnings() if "is each pod itself" in w]
    assert len(warned) == (host in LOOPBACK)
    for warning in warned:
        assert warning.startswith("clearml.clientConfigurationFilesUrl: ")
        assert "clearmlFilesHost of agentservices, agentGroups.agent-group0" in warning


OFF: dict[str, Any] = {"enabled": False}
LOCAL_NODE = {"clearml": {"nodeAddress": "localhost"}}
NIP = "127-0-0-1.nip.io"


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        (LOCAL_NODE, ["clearml.nodeAddress"]),
        ({"ingress": {"enabled": True, "host": NIP}}, ["ingress.files.hostName"]),
        ({"fileserver": ingress(f"files.{NIP}")}, ["fileserver.ingress.hostName"]),
        (LOCAL_NODE | {"agentservices": OFF, "agentGroups": {"agent-group0": OFF}}, []),
        (
            LOCAL_NODE
            | {
                "agentservices": {"clearmlFilesHost": "http://clearml-fileserver:8081"},
                "agentGroups": {"agent-group0": {"clearmlFilesHost": "http://localhost:8081"}},
            },
            ["agentGroups.agent-group0.clearmlFilesHost"],
        ),
        (
            {
                "ingress": {"enabled": True, "host": NIP},
                "agentservices": {
                    "hostAliases": [{"ip": "10.0.0.1", "hostnames": [f"files.{NIP}"]}]
                },
                "agentGroups": {"agent-group0": OFF},
            },
            [],
        ),
        (
            {
                "apiserver": OFF,
                "clearml": {
                    "clientConfigurationApiUrl": "http://localhost:8008",
                    "clientConfigurationFilesUrl": "s3://bucket",
                },
                "agentservices": OFF,
            },
            ["clearml.clientConfigurationApiUrl"],
        ),
    ],
)
def test_the_value_is_named_that_leads_agents_to_themselves(
    values: dict[str, Any], warned: list[str]
) -> None:
    found = [w for w in Values.read(values).warnings() if "is each pod itself" in w]
    assert [w.partition(":")[0] for w in found] == warned


BALANCED: dict[str, Any] = {"service": {"type": "LoadBalancer"}}
THREE = {"webserver": BALANCED, "apiserver": BALANCED, "fileserver": BALANCED}
SHARED = {"metallb.io/allow-shared-ip": "clearml"}


@pytest.mark.parametrize(
    ("values", "warned"),
    [
        (THREE, ["apiserver", "fileserver"]),
        ({"clearml": {"version": "1.14.1"}, **THREE}, ["apiserver", "fileserver"]),
        ({"clearml": {"version": "2.3.0"}, **THREE}, []),
        ({"webserver": BALANCED}, []),
        (SHORT | THREE, []),
        (THREE | {"apiserver": BALANCED | ingress("api.org")}, ["fileserver"]),
        # On one address it finds the API server, and files from another port of its own.
        (merge(THREE, {s: {"service": {"annotations": SHARED}} for s in ABSENT}), ["fileserver"]),
        (
            merge(
                merge(THREE, {s: {"service": {"annotations": SHARED}} for s in ABSENT}),
                {"webserver": {"service": {"port": 8080}}},
            ),
            [],
        ),
        (
            THREE
            | {
                "clearml": {
                    "clientConfigurationWebUrl": "http://app.a.org",
                    "clientConfigurationApiUrl": "http://api.a.org",
                    "clientConfigurationFilesUrl": "http://files.a.org",
                }
            },
            [],
        ),
    ],
)
def test_load_balancers_that_a_page_cannot_know_are_warned_of(
    values: dict[str, Any], warned: list[str]
) -> None:
    found = [w for w in Values.read(values).warnings() if "gets an address of its own" in w]
    assert [w.partition(".")[0] for w in found] == warned


def test_load_balancers_have_no_node_port_unless_it_is_given() -> None:
    given = merge(THREE, {"webserver": {"service": {"nodePort": 30080}}})
    services = render(given).of("Service")
    ports = {s: services[f"clearml-{s}"]["spec"]["ports"][0].get("nodePort") for s in ABSENT}
    assert ports == {"webserver": 30080, "apiserver": None, "fileserver": None}
