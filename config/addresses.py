"""Where people and their browsers reach the servers: one fact, from which all else follows."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pydantic.alias_generators import to_snake

from config import tls
from config.ingress import CLASS_ANNOTATION, NO_HOST
from config.types.model import Mistake
from config.types.urls import http_parts, is_loopback, literal_path

if TYPE_CHECKING:
    from config.generation import Generation
    from config.values import Values

# The servers, and what they are called in the names of their hosts.
PARTS = {"webserver": "app", "apiserver": "api", "fileserver": "files"}
TITLES = {"webserver": "web server", "apiserver": "API server", "fileserver": "file server"}

DEFAULT_PORTS = {"http": ":80", "https": ":443"}
URL_KEYS = {
    "webserver": "clientConfigurationWebUrl",
    "apiserver": "clientConfigurationApiUrl",
    "fileserver": "clientConfigurationFilesUrl",
}
# Below which the web server passes requests on to the file server
# (docker/build/internal_files/clearml.conf.template).
FILES_OF_WEB_SERVER = "/files"


class Route(NamedTuple):
    """A host and path that lead to a server, by the section of the values that says so.

    `secret` is the Secret with the certificate of the host; empty where an Ingress has none, and
    with a Gateway. `unclear` is the value that leaves open whether TLS ends in front.
    """

    section: str
    host: str
    https: bool = False
    path: str = "/"
    path_type: str = "Prefix"
    secret: str = ""
    unclear: str = ""

    @property
    def place(self) -> str | None:
        """Host and path of the server; None where the host or path stands for several."""
        path = literal_path(self.path)
        if not self.host or self.host.startswith("*") or path is None:
            return None
        return self.host + path

    @property
    def url(self) -> str | None:
        """The URL of the server; None where the place stands for several or the scheme is open."""
        if self.place is None or self.unclear:
            return None
        return f"{'https' if self.https else 'http'}://{self.place}"


class PublicUrls(NamedTuple):
    """The URL of each server as browsers open it; None where the values do not tell."""

    webserver: str | None = None
    apiserver: str | None = None
    fileserver: str | None = None

    def of(self, server: str) -> str | None:
        """The URL of the server of that name."""
        url: str | None = getattr(self, server)
        return url


def routes(values: "Values") -> dict[str, Route]:
    """What leads to the servers, by server: the Gateway, their own Ingress or the common one.

    A certificate is for a host, whatever is below it. Where none is named, cert-manager makes one
    if there is an issuer. Without a certificate here TLS may end in front.
    """
    found = {
        server: way for server in PARTS if values.has(server) and (way := _way(values, server))
    }
    if not values.gateway.enabled:
        found = _with_certificates(values, found)
    return {server: _with_scheme(values, server, way) for server, way in found.items()}


def _with_certificates(values: "Values", found: dict[str, Route]) -> dict[str, Route]:
    names = {"ingress": values.ingress.name}
    certificates = {way.host: way.secret for way in found.values() if way.secret}
    for server, way in found.items():
        if values.cert_manager.issuer:
            name = names.get(way.section, f"{values.fullname}-{server}")
            certificates.setdefault(way.host, f"{name}-tls")
        secret = way.secret or certificates.get(way.host, "")
        found[server] = way._replace(secret=secret, https=bool(secret))
    return found


def _with_scheme(values: "Values", server: str, route: Route) -> Route:
    """The route with what the user says of its scheme, or else what its settings tell."""
    if given := values.clearml.url_scheme:
        return route._replace(https=given == "https")
    if route.https:
        return route
    path, annotations = "gateway", values.gateway.annotations
    if route.section != "gateway":
        common, own = values.ingress, values.own_ingress(server)
        section = common if route.section == "ingress" else own
        path, annotations = f"{server}.ingress", section.annotations
        # The class may stand in either place.
        annotations = {CLASS_ANNOTATION: section.class_name, **annotations}
    told = tls.of_annotations(annotations, host=route.host)
    if route.section == "ingress" or told.unclear in values.ingress.annotations:
        path = "ingress"
    unclear = f"{path}.annotations[{told.unclear}]" if told.unclear else ""
    return route._replace(https=told.https, unclear=unclear)


def _way(values: "Values", server: str) -> Route | None:
    """What leads to a server, with the certificate that is named for it alone."""
    part, own = PARTS[server], values.own_ingress(server)
    if values.gateway.enabled:
        https = values.gateway.serves_https
        return Route(section="gateway", host=values.gateway.host_of(part), https=https)
    if own.enabled:
        return Route(
            section=server,
            host=own.host_name,
            path=own.path,
            path_type=own.path_type,
            secret=own.tls_secret_name,
        )
    if values.ingress.enabled:
        host, secret = values.ingress.host_of(part), values.ingress.secret_of(part)
        return Route(section="ingress", host=host, secret=secret)
    return None


def public_urls(values: "Values") -> PublicUrls:
    """What the user says comes first, then the way that leads to a server from outside."""
    clearml = values.clearml
    given = {
        "webserver": clearml.client_configuration_web_url,
        "apiserver": clearml.client_configuration_api_url,
        "fileserver": clearml.client_configuration_files_url,
    }
    leading = values.routes
    urls: dict[str, str | None] = {}
    for server, url in given.items():
        if url:
            urls[server] = url.rstrip("/")
        elif server in leading:
            urls[server] = leading[server].url
        elif values.has(server):
            urls[server] = next(_of_service(values, server), None)
    return PublicUrls(**urls)


def _of_service(values: "Values", server: str) -> Iterator[str]:
    """The URLs of a server through its Service alone, but for one whose scheme is open."""
    service, node = values.server(server).service, values.clearml.node_address
    scheme = values.clearml.url_scheme or service.scheme
    if service.load_balancer_ip and scheme:
        yield _url(scheme, service.load_balancer_ip, service.port)
    if node and service.published_node_port:
        yield _url("http", node, service.published_node_port)


def _url(scheme: str, host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    shown = f":{port}"
    return f"{scheme}://{host}{'' if shown == DEFAULT_PORTS[scheme] else shown}"


def file_urls(values: "Values") -> list[str]:
    """Return all URLs outside the cluster that clients may have uploaded files at, as values tell.

    Tasks report files under the URL that their agent was given, one that is off now too.
    """
    agents = (values.agentservices, *values.agent_groups.values())
    pages = _outside(values, "webserver") if values.has("webserver") else ()
    return [
        *_outside(values, "fileserver"),
        *(page + FILES_OF_WEB_SERVER for page in pages),
        *(agent.clearml_files_host for agent in agents if agent.clearml_files_host),
        *values.apiserver.asyncdelete.url_prefixes,
    ]


def _outside(values: "Values", server: str) -> list[str]:
    """All URLs of an installed server outside the cluster, whichever is the public one.

    Load balancers have had the default node port too. Of a route whose scheme is open either URL
    stands for both (`url_prefixes`).
    """
    route, service = values.routes.get(server), values.server(server).service
    node = values.clearml.node_address
    urls = (
        values.public_urls.of(server),
        f"{'https' if route.https else 'http'}://{route.place}" if route and route.place else None,
        *_of_service(values, server),
        _url("http", node, service.node_port)
        if node and service.node_port and service.type == "LoadBalancer"
        else None,
    )
    return list(dict.fromkeys(url for url in urls if url))


def url_prefixes(urls: Iterable[str]) -> list[str]:
    """Return what the URLs of files begin with that were uploaded to the file server at these URLs.

    What is no HTTP URL is left out. A URL on a default port stands for both schemes, with and
    without port: TLS may end in front of the server, or have been added later. The server compares
    texts, so each prefix ends with a slash, and takes the first that matches, so longer paths come
    first (apiserver/bll/task/task_cleanup.py, apiserver/jobs/async_urls_delete.py).
    """
    prefixes = [prefix for url in urls for prefix in _spellings(url)]
    return sorted(dict.fromkeys(prefixes), key=lambda prefix: prefix.count("/"), reverse=True)


def _spellings(url: str) -> Iterator[str]:
    parts = http_parts(url)
    if parts is None:
        return
    path = parts.path.rstrip("/") + "/"
    if parts.port not in ("", DEFAULT_PORTS[parts.scheme]):
        yield f"{parts.scheme}://{parts.host}{parts.port}{path}"
        return
    for scheme, default in DEFAULT_PORTS.items():
        for port in ("", default):
            yield f"{scheme}://{parts.host}{port}{path}"


def cookie_domain(values: "Values") -> str:
    """The domain that the session's cookie is for; empty leaves it to the API server's host.

    That is enough unless the file server asks for the cookie too; then it must be for the domain
    that both hosts are in.
    """
    if values.clearml.cookie_domain or not values.file_authentication:
        return values.clearml.cookie_domain
    hosts = {_public_host(values, server) for server in ("apiserver", "fileserver")} - {""}
    domains = {host.partition(".")[2] for host in hosts}
    domain = min(domains, default="")
    # No cookie can be for a top-level domain or an address.
    shared = len(hosts) == 2 and len(domains) == 1 and re.search(r"\.[a-z]", domain)
    return domain if shared else ""


def _public_host(values: "Values", server: str) -> str:
    """The host that browsers find a server at, whatever the scheme; empty if it is not known."""
    route = values.routes.get(server)
    url = values.public_urls.of(server) or (f"//{route.place}" if route and route.place else "")
    return _host(url)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def mistakes(values: "Values") -> Iterator[Mistake]:
    """Hosts that are missing or lead to two servers, and servers that nobody can find."""
    yield from _gateway(values)
    yield from _hosts(values.routes)
    yield from _paths(values)
    yield from _absent(values)


def _gateway(values: "Values") -> Iterator[Mistake]:
    gateway = values.gateway
    if not gateway.enabled:
        return
    own = [f"{s}.ingress" for s in PARTS if values.has(s) and values.server(s).ingress.enabled]
    if others := [*(["ingress"] if values.ingress.enabled else []), *own]:
        off = " and ".join(f"{other}.enabled: false" for other in others)
        yield Mistake(("gateway", "enabled"), f"goes with {off} only", True)
    if gateway.tls.secret_name and not values.cert_manager.issuer:
        yield Mistake(
            ("gateway", "tls", "secretName"),
            "needs certManager.issuer, which fills the Secret; gateway.tls.enabled says that the "
            "Gateway has a certificate",
            gateway.tls.secret_name,
        )


def _hosts(leading: Mapping[str, Route]) -> Iterator[Mistake]:
    places: dict[tuple[str, str], str] = {}
    certificates: dict[str, Route] = {}
    for server, route in leading.items():
        path = _origin(server, route)
        if not route.host:
            message = f"is needed without {route.section}.host"
            yield Mistake(path, NO_HOST if route.section == server else message, "")
            continue
        other = places.setdefault((route.host, route.path.rstrip("/")), server)
        if other != server:
            yield Mistake(
                path, f"leads to the {TITLES[other]} already, on the same path", route.host
            )
        first = certificates.setdefault(route.host, route)
        if first.secret != route.secret:
            yield Mistake(
                path,
                f"has another certificate elsewhere: {first.secret} and {route.secret}; name "
                "one Secret",
                route.host,
            )


def _paths(values: "Values") -> Iterator[Mistake]:
    ingress = values.webserver.ingress
    if values.generation.web_page_path and "/" in ingress.prefix.removeprefix("/"):
        yield Mistake(
            ("webserver", "ingress", "path"), "must have one part only, such as /app", ingress.path
        )


def _origin(server: str, route: Route) -> tuple[str, ...]:
    """The value that sets the host of one server alone."""
    if route.section == server:
        return (server, "ingress", "hostName")
    return (route.section, PARTS[server], "hostName")


def _absent(values: "Values") -> Iterator[Mistake]:
    """Servers that are not installed here, and that others must find all the same."""
    agents = values.agents_by_path
    urls = values.public_urls
    asking = [agent for agent in agents.values() if not agent.clearml_api_host]
    if not values.has("apiserver") and not urls.apiserver and (asking or values.has("webserver")):
        yield Mistake(
            ("apiserver", "enabled"),
            "needs clearml.clientConfigurationApiUrl: the other components must find it",
            False,
        )
    lost = [name for name, agent in agents.items() if not agent.clearml_files_host]
    if not values.has("fileserver") and not urls.fileserver and lost:
        yield Mistake(
            ("fileserver", "enabled"),
            "needs clearml.clientConfigurationFilesUrl, such as s3://bucket, or clearmlFilesHost "
            f"of {', '.join(lost)}: agents upload there",
            False,
        )


def warnings(values: "Values") -> Iterator[str]:
    """What the servers or the web page do not find out by themselves."""
    generation = values.generation
    for server in values.routes:
        prefix = values.server(server).ingress.prefix
        if prefix and not _knows_its_path(server, generation):
            yield (
                f"{server}.ingress.path: the {TITLES[server]} {generation.version} does not know "
                "its path; the ingress must take it off before it passes requests on"
            )
    urls = values.public_urls
    domain = values.cookie_domain
    if domain and urls.apiserver and not f".{_host(urls.apiserver)}".endswith(f".{domain}"):
        yield (
            f"clearml.cookieDomain: browsers refuse a cookie for {domain} from {urls.apiserver}, "
            "so nobody can sign in"
        )
    if values.has("webserver"):
        yield from _missed(values)
        yield from _mixed(values)
    yield from _unknown_urls(values)
    yield from _loopback(values)
    yield from _forgotten_files(values)


def _unknown_urls(values: "Values") -> Iterator[str]:
    """The settings that leave the URL of a server open."""
    unclear: dict[str, list[str]] = {}
    for server in PARTS:
        if values.public_urls.of(server) or not values.has(server):
            continue
        route, service = values.routes.get(server), values.server(server).service
        if route and route.place is None and route.host and not route.host.startswith("*"):
            yield (
                f"{server}.ingress.path: {route.path} does not tell where the URL of the "
                f"{TITLES[server]} begins; set clearml.{URL_KEYS[server]}"
            )
        elif route and route.place and route.unclear:
            unclear.setdefault(route.unclear, []).append(server)
        elif route is None and service.load_balancer_ip and service.scheme is None:
            unclear[f"{server}.service.annotations[{service.told.unclear}]"] = [server]
    for value, servers in unclear.items():
        yield (
            f"{value}: may mean that TLS ends in front of the {_listed(servers)}, so no URL of "
            "theirs is given to the web page, agents and clients; set clearml.urlScheme to https, "
            "or to http if it does not"
        )


def _listed(servers: Sequence[str]) -> str:
    return " and ".join(TITLES[server] for server in servers)


def _mixed(values: "Values") -> Iterator[str]:
    """Servers that a page from HTTPS may not ask."""
    urls = values.public_urls
    if not (urls.webserver or "").startswith("https:"):
        return
    for server in ("apiserver", "fileserver"):
        url = urls.of(server) or ""
        if url.startswith("http:"):
            yield (
                f"clearml.{URL_KEYS[server]}: the {TITLES[server]} is at {url}, which browsers do "
                f"not let the web page at {urls.webserver} ask; set clearml.urlScheme to https if "
                "TLS ends in front of it too"
            )


def _loopback(values: "Values") -> Iterator[str]:
    """URLs that mean to each pod the pod itself, where agents are given them."""
    asked = {"clearmlFilesHost": "fileserver"}
    if not values.has("apiserver"):
        asked["clearmlApiHost"] = "apiserver"
    for key, server in asked.items():
        lost: dict[tuple[str, str], list[str]] = {}
        for path, agent in values.agents_by_path.items():
            own: str = getattr(agent, to_snake(key))
            url = own or values.public_urls.of(server) or ""
            host = _host(url) if http_parts(url) else ""
            aliases = [name for alias in agent.host_aliases for name in alias.hostnames or ()]
            if is_loopback(host) and host not in aliases:
                place = f"{path}.{key}" if own else _says_url(values, server)
                lost.setdefault((place, url), []).append(path)
        for (place, url), paths in lost.items():
            yield (
                f"{place}: {url} is each pod itself, where agents find no {TITLES[server]}; set "
                f"{key} of {', '.join(paths)} to a URL for pods, such as that of the Service, or "
                "let their hostAliases lead the name elsewhere"
            )


def _says_url(values: "Values", server: str) -> str:
    """The value that the URL of a server comes from."""
    if getattr(values.clearml, to_snake(URL_KEYS[server])):
        return f"clearml.{URL_KEYS[server]}"
    if route := values.routes.get(server):
        return ".".join(_origin(server, route))
    return "clearml.nodeAddress" if values.clearml.node_address else f"{server}.service"


def _forgotten_files(values: "Values") -> Iterator[str]:
    """Files that clients upload at an address that asynchronous delete does not know."""
    known = _outside(values, "fileserver") or values.apiserver.asyncdelete.url_prefixes
    if not values.async_delete or known:
        return
    service, has_route = values.fileserver.service, "fileserver" in values.routes
    by_node = service.type == "NodePort" and service.node_port and not has_route
    key = "nodeAddress" if by_node else "clientConfigurationFilesUrl"
    yield (
        f"clearml.{key}: is not set, so the address at which clients outside the cluster upload "
        "files is unknown: such files stay when their tasks are deleted; list what else their URLs "
        "begin with in apiserver.asyncdelete.urlPrefixes"
    )


def _knows_its_path(server: str, generation: "Generation") -> bool:
    return server == "apiserver" or (server == "webserver" and generation.web_page_path)


def _missed(values: "Values") -> Iterator[str]:
    """The servers that the web page looks for at another place."""
    urls, generation = values.public_urls, values.generation
    of_clients = {"apiserver": urls.apiserver, "fileserver": urls.fileserver}
    if urls.webserver is None:
        yield from _unexpected_node_ports(values)
        yield from _several_load_balancers(values)
    elif not generation.web_page_settings:
        guesses = guessed(urls.webserver, generation)
        for server, url in of_clients.items():
            if url is None or not url.startswith("http") or guesses.get(server) == url:
                continue
            looks = f"looks for it at {guesses[server]}" if server in guesses else "is not told"
            yield (
                f"the {TITLES[server]} is at {url}, but the web page of server "
                f"{generation.version}, opened at {urls.webserver}, {looks}"
            )


def _unexpected_node_ports(values: "Values") -> Iterator[str]:
    generation = values.generation
    if "webserver" in values.routes or values.webserver.service.type != "NodePort":
        return
    for name, expected in generation.web_page_node_ports.items():
        service = values.server(name).service
        if values.has(name) and service.type == "NodePort" and service.node_port != expected:
            yield (
                f"{name}.service.nodePort: the web page of server {generation.version} looks "
                f"for it on {expected} of the host that the page comes from"
            )


def _several_load_balancers(values: "Values") -> Iterator[str]:
    """Servers with an address of their own, which a page that guesses takes for its own."""
    generation, web = values.generation, values.webserver.service
    if generation.web_page_settings or "webserver" in values.routes or web.type != "LoadBalancer":
        return
    guesses = guessed(_url("http", "address", web.port), generation)
    for server in ("apiserver", "fileserver"):
        service = values.server(server).service
        if not values.has(server) or values.public_urls.of(server) or server in values.routes:
            continue
        at_guess = guesses.get(server) == _url("http", "address", service.port)
        if service.type == "LoadBalancer" and not (web.shares_address(service) and at_guess):
            port = guesses.get(server, "").rpartition(":")[2]
            looks = f"looks for it on port {port} of its own" if port else "is not told"
            yield (
                f"{server}.service.type: the {TITLES[server]} gets an address of its own, but the "
                f"web page of server {generation.version} {looks}; take an ingress, or name hosts "
                "that begin with app., api. and files. in clearml.clientConfiguration…Url"
            )


def told_page(values: "Values") -> PublicUrls:
    """Return what the web page has to be told: the URLs that it would not find by itself.

    A page that was opened over HTTPS may not ask an HTTP URL. So one of those is told only where
    the page comes over HTTP too, and is left out where the page, which takes its own scheme, finds
    the place anyway: TLS may end in front without a word in the values.
    """
    urls, page = values.public_urls, values.public_urls.webserver
    route = values.routes.get("webserver")
    over_https = (page or "").startswith("https:") or bool(route and route.unclear)
    guesses = guessed(page, values.generation) if page else {}
    told = {
        server: url
        for server in ("apiserver", "fileserver")
        if (url := urls.of(server))
        and (
            url.startswith("https:")
            or (url.startswith("http:") and not over_https and guesses.get(server) != url)
        )
    }
    return PublicUrls(**told)


def guessed(page: str, generation: "Generation") -> dict[str, str]:
    """Where the web page, opened at that URL, looks for the other two servers."""
    parts = urlsplit(page)
    origin = f"{parts.scheme}://{parts.netloc}"
    if re.match(r"https?://(demo)?app\.", origin):
        return {
            server: re.sub(r"//(demo)?app", rf"//\1{PARTS[server]}", origin)
            for server in ("apiserver", "fileserver")
        }
    host, port = re.findall(r"^(.*?)(?::(\d+))?$", origin)[0]
    ports = dict(generation.web_page_ports)
    if port == "30080":
        ports = dict(generation.web_page_node_ports)
    elif port != "8080":
        del ports["fileserver"]
    return {server: f"{host}:{port}" for server, port in ports.items()}
