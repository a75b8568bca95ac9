"""Field types that the sections share, each with the limits that Kubernetes sets."""

import ipaddress
import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from config.types.model import Mistake, refuse
from config.types.scalars import Integer, Readable, Text, matching, without_hint

QUANTITY = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$"
NOT_A_QUANTITY = "must be a Kubernetes quantity such as 500m or 50Gi"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
SERVICE_LABEL = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
DNS_SUBDOMAIN = r"^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LABEL_VALUE = r"^(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
HOST_NAME = r"^(?=.{1,253}$)(\*\.)?" + DNS_SUBDOMAIN.removeprefix(r"^(?=.{1,253}$)")
QUALIFIED_NAME = (
    r"^((?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
UNITS = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num", start=-3)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}
LARGEST_INTEGER = 2**31 - 1  # of most fields
NEVER = "never"
ENV_NAME = r"^[-._a-zA-Z][-._a-zA-Z0-9]*$"
# What workloads and Services find their pods by, which no cluster allows to change.
SELECTOR_LABELS = {f"app.kubernetes.io/{key}" for key in ("name", "instance", "component")}
# Kubernetes' own kinds that belong to no namespace.
CLUSTER_SCOPED = {
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "IngressClass",
    "IPAddress",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
}
# All of Helm's template language that means anything in the values.
TEMPLATE_EXPRESSION = r"\{\{-?\s*\.Release\.(Name|Namespace)\s*-?\}\}"


def _node_port(port: int) -> int:
    if port != 0 and not 30000 <= port <= 32767:
        raise PydanticCustomError(
            "mistake", "must be 30000 to 32767, or 0 to let the cluster choose"
        )
    return port


def never_as_none(raw: object) -> object:
    """Return None for the text `never`; other texts must be numbers."""
    if raw == NEVER:
        return None
    if isinstance(raw, str) and not raw.isdecimal():
        raise PydanticCustomError("mistake", "must be a number of seconds, or never")
    return raw


def _modes_that_go_together(modes: list[str]) -> list[str]:
    if len(modes) > 1 and "ReadWriteOncePod" in modes:
        raise PydanticCustomError("mistake", "ReadWriteOncePod excludes other access modes")
    return modes


Port = Annotated[Integer, Field(ge=1, le=65535)]
NodePort = Annotated[Integer, AfterValidator(_node_port)]
Replicas = Annotated[Integer, Field(ge=0, le=1000)]
Seconds = Annotated[Integer, Field(ge=0, le=LARGEST_INTEGER)]
Count = Annotated[Integer, Field(ge=0, le=LARGEST_INTEGER)]
AtLeastOne = Annotated[Integer, Field(ge=1, le=LARGEST_INTEGER)]
# None is never; a null in a values file is the default.
SecondsOrNever = Annotated[Seconds | None, BeforeValidator(never_as_none)]
AtLeastOneOrNever = Annotated[AtLeastOne | None, BeforeValidator(never_as_none)]
AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
AccessModes = Annotated[
    list[AccessMode], Field(min_length=1), AfterValidator(_modes_that_go_together)
]
PullPolicy = Literal["Always", "IfNotPresent", "Never"]
ServiceType = Literal["ClusterIP", "NodePort", "LoadBalancer"]

DnsLabel = Annotated[
    Text,
    matching(DNS_LABEL, "must be a DNS label: up to 63 lower-case letters, digits and '-'"),
]
DnsSubdomain = Annotated[
    Text,
    matching(DNS_SUBDOMAIN, "must be a DNS name: lower-case letters, digits, '-' and '.'"),
]
OptionalDnsLabel = Annotated[
    Text,
    matching(r"^$|" + DNS_LABEL, "must be empty or a DNS label: lower-case letters, digits, '-'"),
]
OptionalDnsSubdomain = Annotated[
    Text,
    matching(
        r"^$|" + DNS_SUBDOMAIN, "must be empty or a DNS name: lower-case letters, digits, '-', '.'"
    ),
]
# What names of Services start with.
NamePrefix = Annotated[
    Text,
    matching(
        SERVICE_LABEL,
        "must be a DNS label that begins with a letter: lower-case letters, digits and '-'",
    ),
]
OptionalNamePrefix = Annotated[
    Text,
    matching(
        r"^$|" + SERVICE_LABEL,
        "must be empty or a DNS label that begins with a letter: lower-case letters, digits, '-'",
    ),
]
StorageClass = OptionalDnsSubdomain


ENDS_IN_NUMBERS = re.compile(r"(.*\.)?[0-9]+(\.[0-9]+){3}")


def is_ip_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _ip_address(text: str) -> str:
    if text and not is_ip_address(text):
        hint = without_hint(text, is_ip_address)
        message = f"must be empty or an IP address{hint}"
        raise PydanticCustomError("mistake", "{message}", {"message": message})
    return text


def _no_ip_address(text: str) -> str:
    # Browsers take a name that ends like one for an address, and refuse it.
    if is_ip_address(text) or ENDS_IN_NUMBERS.fullmatch(text):
        raise PydanticCustomError("mistake", "must be a host name, not an IP address")
    return text


def _is_address(text: str) -> bool:
    return re.fullmatch(DNS_SUBDOMAIN, text) is not None or is_ip_address(text)


def _address(text: str) -> str:
    if text and not _is_address(text):
        hint = without_hint(text, _is_address)
        message = f"must be empty, a DNS name or an IP address{hint}"
        raise PydanticCustomError("mistake", "{message}", {"message": message})
    return text


def is_plain_path(path: str) -> bool:
    """Whether an Ingress may compare the path as it stands, as Exact and Prefix do."""
    return re.fullmatch(r"(?!.*(//|%2f|/\.\.?(/|$)))/.*", path, re.I) is not None


def _external_ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise PydanticCustomError("mistake", "must be an IP address") from None
    if (
        address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
    ):
        message = "must be the address of a node or load balancer, which others can reach"
        raise PydanticCustomError("mistake", "{message}", {"message": message})
    return text


OptionalIpAddress = Annotated[Text, AfterValidator(_ip_address)]
ExternalIp = Annotated[Text, AfterValidator(_external_ip)]
OptionalAddress = Annotated[Text, AfterValidator(_address)]
# As Ingresses and HTTPRoutes take them.
HostPrefix = Annotated[
    Text,
    matching(
        r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-a-z0-9]*)?$",
        "must be what a host name may begin with: lower-case letters, digits, '-' and '.'",
    ),
]
OptionalHostName = Annotated[
    Text,
    matching(
        r"^$|" + HOST_NAME,
        "must be empty or a host name: lower-case letters, digits, '-', '.', and maybe '*.' before",
    ),
    AfterValidator(_no_ip_address),
]
# What prefixes are put in front of.
OptionalDomain = Annotated[OptionalDnsSubdomain, AfterValidator(_no_ip_address)]
IngressPath = Annotated[
    Text, matching(r"^/[^\s\x00-\x1f]*$", "must be a path that begins with '/', without spaces")
]
# As images are referred to (github.com/distribution/reference).
IMAGE_REPOSITORY = (
    r"([a-zA-Z0-9][a-zA-Z0-9.-]*(:[0-9]+)?/)?"
    r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*)*"
)
IMAGE_REPOSITORY_MESSAGE = "must be an image repository such as registry.example.com/clearml/server"
ImageRepository = Annotated[Text, matching(rf"^{IMAGE_REPOSITORY}$", IMAGE_REPOSITORY_MESSAGE)]
OptionalImageRepository = Annotated[
    Text, matching(rf"^({IMAGE_REPOSITORY})?$", IMAGE_REPOSITORY_MESSAGE)
]
IMAGE_TAG = r"(\w[\w.-]{0,127}(@sha256:[0-9a-f]{64})?|sha256:[0-9a-f]{64})"
IMAGE_TAG_MESSAGE = "must be an image tag, or a digest: sha256: and 64 hexadecimal digits"
ImageTag = Annotated[Text, matching(rf"^{IMAGE_TAG}$", IMAGE_TAG_MESSAGE)]
OptionalImageTag = Annotated[Text, matching(rf"^({IMAGE_TAG})?$", IMAGE_TAG_MESSAGE)]
ImageDigest = Annotated[
    Text,
    matching(
        r"^(sha256:[0-9a-f]{64})?$",
        "must be empty or a digest: sha256: and 64 hexadecimal digits",
    ),
]
# A first part without '.' and ':' would be a folder of Docker Hub.
OptionalImageRegistry = Annotated[
    Text,
    matching(
        r"^((localhost|[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+(:[0-9]+)?|[a-zA-Z0-9-]+:[0-9]+)"
        r"(/[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*)*)?$",
        "must be empty or a registry such as registry.example.com, or docker.io/clearml for an "
        "organisation of Docker Hub; :port and /folder if need be",
    ),
]
SecretKey = Annotated[
    Text,
    matching(
        r"^[-._a-zA-Z0-9]{1,253}$", "must be a key of a Secret: letters, digits, '-', '_', '.'"
    ),
]
PortName = Annotated[
    Text,
    matching(
        r"^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        "must be a port name: lower-case letters, digits and '-'",
    ),
]
AbsolutePath = Annotated[
    Text, matching(r"^/[^:\x00-\x1f]*$", "must be an absolute path without ':'")
]
ServiceName = Annotated[
    Text,
    matching(
        rf"^(?!.*(\.\.|\.-|-\.))(?=.{{1,253}}$)({TEMPLATE_EXPRESSION}|[a-z0-9])"
        rf"(({TEMPLATE_EXPRESSION}|[-a-z0-9.])*({TEMPLATE_EXPRESSION}|[a-z0-9]))?$",
        "must be a DNS name; of Helm's templates only {{ .Release.Name }} and "
        "{{ .Release.Namespace }} are known",
    ),
]
Quantity = Annotated[
    Text,
    matching(QUANTITY, NOT_A_QUANTITY),
]
Share = Annotated[
    Text,
    matching(
        r"^([0-9]{1,9}|(100|[1-9]?[0-9])%)$",
        "must be a number of pods, or a percentage of them up to 100%",
    ),
]
QualifiedName = Annotated[
    Text,
    matching(
        QUALIFIED_NAME, "must be a name such as example.com/internal: letters, digits, '-', '_'"
    ),
]


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise PydanticCustomError("mistake", "must be addresses such as 10.0.0.0/8") from None
    return text


Cidr = Annotated[
    Text,
    matching(r"^[0-9a-fA-F.:]+/[0-9]{1,3}$", "must be addresses such as 10.0.0.0/8"),
    AfterValidator(_network),
]


def amount(quantity: str) -> Decimal:
    """The number that a quantity stands for."""
    number, unit, exponent = re.findall(r"([-+.0-9]+)([A-Za-z]*)(.*)", quantity)[0]
    return Decimal(f"{number}e{exponent}") if exponent else Decimal(number) * UNITS[unit]


def _positive(quantity: str) -> str:
    if amount(quantity) <= 0:
        raise PydanticCustomError("mistake", "must be more than 0")
    return quantity


StorageSize = Annotated[Quantity, AfterValidator(_positive)]


def _label_mapping(labels: dict[str, str]) -> dict[str, str]:
    refuse(
        Mistake((key,), message, given)
        for key, value in labels.items()
        for pattern, given, message in (
            (QUALIFIED_NAME, key, "is not a label key"),
            (LABEL_VALUE, value, "must be a label value: up to 63 letters, digits, '-', '_', '.'"),
        )
        if not re.fullmatch(pattern, given)
    )
    return labels


def _annotation_mapping(annotations: dict[str, str]) -> dict[str, str]:
    refuse(
        Mistake((key,), "is not an annotation key", key)
        for key in annotations
        if not re.fullmatch(QUALIFIED_NAME, key.lower())
    )
    return annotations


def _no_selector_labels(labels: dict[str, str]) -> dict[str, str]:
    refuse(
        Mistake((key,), "is a label that Services find the pods by; choose another key", key)
        for key in SELECTOR_LABELS & labels.keys()
    )
    return labels


NodeSelector = Annotated[dict[Readable, Readable], AfterValidator(_label_mapping)]
Annotations = Annotated[dict[Readable, Readable], AfterValidator(_annotation_mapping)]
Labels = Annotated[
    dict[Readable, Readable], AfterValidator(_label_mapping), AfterValidator(_no_selector_labels)
]
