"""Security contexts."""

from collections.abc import Iterator

from clearml_k8s.rules.formats import is_number
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, entries
from config.error import shape

IDENTITIES = ("runAsUser", "runAsGroup", "fsGroup")
PROFILES = ("RuntimeDefault", "Unconfined", "Localhost")
GROUP_POLICIES = ("OnRootMismatch", "Always")


def contexts(bundle: Bundle) -> Iterator[Place]:
    """The security contexts of pods and containers."""
    for place in (*bundle.pods, *bundle.containers):
        if (context := place.at("securityContext")) is not None:
            yield place.below(context, "securityContext")


def security_choices_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Identities are in range, profiles and policies among the allowed ones."""
    for context in contexts(bundle):
        for field in IDENTITIES:
            identity = context.at(field)
            if identity is not None and not is_number(identity, 0, 2**31 - 1):
                yield context.says(f"{shape(identity)} is not in 0-2147483647", field)
        policy = context.at("fsGroupChangePolicy")
        yield from context.among(policy, GROUP_POLICIES, "fsGroupChangePolicy")
        for field in ("seccompProfile", "appArmorProfile"):
            if (profile := context.at(field)) is None:
                continue
            kind, local = context.at(field, "type"), context.at(field, "localhostProfile")
            yield from context.among(str(kind or None), PROFILES, field, "type")
            if (kind == "Localhost") != bool(local):
                yield context.below(profile, field).says(
                    "with type Localhost, and only with it", "localhostProfile"
                )


def escalation_is_consistent(bundle: Bundle) -> Iterator[Finding]:
    """Privilege escalation is not forbidden to a container that has all or most privileges."""
    for context in contexts(bundle):
        if context.at("allowPrivilegeEscalation") is not False:
            continue
        if context.at("privileged") is True:
            yield context.says("false in a privileged container", "allowPrivilegeEscalation")
        if "CAP_SYS_ADMIN" in entries(context.value, "capabilities", "add"):
            yield context.says("false with CAP_SYS_ADMIN", "allowPrivilegeEscalation")


def non_root_containers_have_no_root_user(bundle: Bundle) -> Iterator[Finding]:
    """A container that must not run as root is not told to run as user 0."""
    for pod in bundle.pods:
        inherited = pod.fields("securityContext")
        for container in pod.containers:
            context = {**inherited, **container.fields("securityContext")}
            if context.get("runAsNonRoot") is True and context.get("runAsUser") == 0:
                yield container.says("runAsNonRoot with runAsUser 0", "securityContext")


RULES: tuple[Rule, ...] = (
    security_choices_are_valid,
    escalation_is_consistent,
    non_root_containers_have_no_root_user,
)
