"""What annotations tell of TLS that ends in front of the servers, without a Secret here."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

# `key: value` of annotations, and the class of an Ingress, with which clients come over HTTPS.
HTTPS = (
    r".*[/.-](ssl|tls|https)-(redirect|passthrough): (true|443)",  # nginx, HAProxy, Azure, ALB
    r".*[/.](redirect-to-https|http-to-https): true",  # NGINX Inc., APISIX
    r".*/https-redirect-status-code: \d+",  # Kong
    r"konghq\.com/protocols: .*\bhttps\b.*",
    r".*/(insecure-termination: (redirect|disallow)|ingress\.allow-http: false)",  # Citrix, GKE
    r"route\.openshift\.io/termination: (edge|reencrypt|passthrough)",
    r".*/listen-ports: .*\"HTTPS\": ?443\b.*",  # ALB
    r".*/actions\.[^:]*: .*\"Protocol\": ?\"HTTPS\".*",  # ALB
    r".*[/-](ssl-cert(ificate)?|certificate-(arn|o?cid|ids?)|cert-id): .+",  # AWS, OCI, DO, Alibaba
    r".*/(managed-certificates|pre-shared-cert|tls-cert-keyvault-uri): .+",  # GKE, Azure
    r".*/(v1beta1\.)?FrontendConfig: .+",  # GKE
    r"traefik\..*/router\.tls(: true|\.(certresolver|options|domains\..*): .+)",
    r"traefik\..*/(router\.entrypoints|redirect-entry-point): .*\b(websecure|https)\b.*",
    r"traefik\..*/router\.middlewares: .*(redirect.*(https|scheme)|https.*redirect).*",
    r"(?!.*(backend|health)).*load-?balancer[^:]*[/-]protocol: https",  # many
    r"load-balancer\.hetzner\.cloud/(http-certificates: .+|certificate-type: managed)",
    r"loadbalancer\.openstack\.org/default-tls-container-ref: .+",
    r"(?!.*aws).*-(tls|https|ssl)-ports: .+",  # DigitalOcean, OCI
    r"kubernetes\.io/ingress\.class: (tailscale|ngrok|cloudflare-tunnel)",
)
# Words of annotations that have to do with TLS, whatever they mean ...
HINT = (
    r".*((?<![aeiou])ssl|tls|https|hsts|certificate|(?<![a-z])certs?(?![a-z])|termination|ngrok"
    r"|cloudflare-proxied).*"
)
HINTING_VALUE = (
    r".*(\bhttps\b(?!://)|https://\$|\b443\b|\bssl\b|websecure|strict-transport|cfargotunnel).*"
)
# ... unless it is about connections behind the Ingress, or says that there is none.
BEHIND = (
    r".*(backend|app-protocols|serversscheme|proxy-ssl|trusted-root|health)"
    r".*|external-dns.*/hostname"
)
OFF = r"\s*(false|off|no|none|disabled?|http|\[\{\"HTTP\": ?\d+\}\])?\s*"
# Ports of a load balancer that TLS ends on, where the annotation is there.
PORTS = r".*-(tls|https|ssl)-ports"
# Listeners of Gateways by their usual names.
SECURE_LISTENER = re.compile(r"(?<!in)secure|https|tls|ssl", re.IGNORECASE)


class Told(NamedTuple):
    """What is told of the scheme: HTTPS or not, or the key that leaves it open."""

    https: bool
    unclear: str = ""


def of_annotations(
    annotations: Mapping[str, str], *, host: str = "", port: int | None = None
) -> Told:
    """Return what the annotations of an Ingress, of routes or of a Service tell.

    `host` is the host that these lead to, `port` that of the Service, whose load balancer may end
    TLS on some of its ports alone.
    """
    ports = [value for key, value in annotations.items() if _fits((PORTS,), key)]
    covered = {part for value in ports for part in re.split(r"[\s,]+", value)}
    if port is not None and covered and not {"*", "http", str(port)} & covered:
        return Told(https=False)
    if any(_fits(HTTPS, f"{key}: {value}") for key, value in annotations.items()):
        return Told(https=True)
    unclear = (key for key, value in annotations.items() if _is_unclear(key, value, host))
    return Told(https=False, unclear=next(unclear, ""))


def _is_unclear(key: str, value: str, host: str) -> bool:
    if _fits((BEHIND,), key) or _fits((OFF,), value):
        return False
    own = bool(host) and f"https://{host}" in value
    return own or _fits((HINT,), key) or _fits((HINTING_VALUE,), value)


def _fits(patterns: Iterable[str], text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL) for pattern in patterns)
