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
    r".*[/-](ssl-cert(ificate)?|certificate-(arn|o?cid|ids?)|cert-id): .+",  # AWS, OCI, DO, Alibaba
    r".*/(managed-certificates|pre-shared-cert|tls-cert-keyvault-uri): .+",  # GKE, Azure
    r".*/(v1beta1\.)?FrontendConfig: .+",  # GKE
    r"traefik\..*/router\.tls(: true|\.(certresolver|options|domains\..*): .+)",
    r"traefik\..*/(router\.entrypoints|redirect-entry-point): .*\b(websecure|https)\b.*",
    r"traefik\..*/router\.middlewares: .*(redirect.*https|https.*redirect).*",
    r"(?!.*backend).*load-?balancer[^:]*[/-]protocol: https",  # DigitalOcean, Linode, Hetzner
    r"load-balancer\.hetzner\.cloud/(http-certificates: .+|certificate-type: managed)",
    r"loadbalancer\.openstack\.org/default-tls-container-ref: .+",
    r".*-load-?balancer-(tls|https|ssl)-ports: .*\b(443|http)\b.*",  # DigitalOcean, OCI
    r"kubernetes\.io/ingress\.class: (tailscale|ngrok|cloudflare-tunnel)",
)
# Words of annotations that have to do with TLS, whatever they mean ...
HINT = r".*(ssl|tls|https|hsts|acme|certificate|(?<![a-z])certs?(?![a-z])|cloudflare-proxied).*"
HINTING_VALUE = r"(?s).*\b(https\b(?!://)|websecure\b).*"
# ... unless it is about connections behind the Ingress, or says that there is none.
BEHIND = r".*(backend|app-protocols|serversscheme|proxy-ssl|trusted-root|external-dns.*/hostname).*"
OFF = r"\s*(false|off|no|none|disabled?|http|\[\{\"HTTP\": ?\d+\}\])?\s*"
# Listeners of Gateways by their usual names.
SECURE_LISTENER = re.compile(r"(?<!in)secure|https|tls|ssl", re.IGNORECASE)


class Told(NamedTuple):
    """What is told of the scheme: HTTPS or not, or the key that leaves it open."""

    https: bool
    unclear: str = ""


def of_annotations(annotations: Mapping[str, str], *, port: int | None = None) -> Told:
    """Return what the annotations of an Ingress, of routes or of a Service tell.

    `port` is that of a Service: AWS ends TLS on some of them only if it is told which.
    """
    told = {key: f"{key}: {value}" for key, value in annotations.items()}
    covered = annotations.get("service.beta.kubernetes.io/aws-load-balancer-ssl-ports", "*")
    if port is not None and not {"*", "http", str(port)} & set(re.split(r"[\s,]+", covered)):
        return Told(https=False)
    if any(_fits(HTTPS, text) for text in told.values()):
        return Told(https=True)
    unclear = (key for key, value in annotations.items() if _is_unclear(key, value))
    return Told(https=False, unclear=next(unclear, ""))


def _is_unclear(key: str, value: str) -> bool:
    if _fits((BEHIND,), key) or _fits((OFF,), value):
        return False
    return _fits((HINT,), key) or _fits((HINTING_VALUE,), value)


def _fits(patterns: Iterable[str], text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL) for pattern in patterns)
