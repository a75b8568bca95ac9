"""Security contexts."""

import re
from collections.abc import Iterator

from clearml_k8s.rules.formats import DESCENDING_PATH, fits, is_number, repeated
from clearml_k8s.rules.manifests import Bundle, Finding, Place, Rule, at, entries, fields
from config.error import shape

IDENTITIES = ("runAsUser", "runAsGroup", "fsGroup")
PROFILES = ("RuntimeDefault", "Unconfined", "Localhost")
GROUP_POLICIES = ("OnRootMismatch", "Always")
# Annotations by what they begin with: the profiles that they name, and the field that says it too.
APPARMOR = re.compile(r"(runtime/default|unconfined|localhost/.*)?", re.S)
SECCOMP = re.compile(
    r"(runtime/default|docker/default|unconfined|localhost/(?!/|(.*/)?\.\.(/|$)).*)"
)
ANNOTATED = {
    "container.apparmor.security.beta.kubernetes.io/": (APPARMOR, "appArmorProfile"),
    "container.seccomp.security.alpha.kubernetes.io/": (SECCOMP, "seccompProfile"),
    "seccomp.security.alpha.kubernetes.io/pod": (SECCOMP, "seccompProfile"),
}
PROFILE_TYPES = {
    **dict.fromkeys(("runtime/default", "docker/default"), "RuntimeDefault"),
    "unconfined": "Unconfined",
}
PROC_MOUNTS = ("Default", "Unmasked")
SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")


def contexts(bundle: Bundle) -> Iterator[Place]:
    """The security contexts of pods and containers."""
    for place in (*bundle.pods, *bundle.containers):
        if (context := place.at("securityContext")) is not None:
            yield place.below(context, "securityContext")


def security_choices_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Identities are in range, profiles and policies among the allowed ones."""
    for context in contexts(bundle):
        identities = [((field,), context.at(field)) for field in IDENTITIES]
        groups = entries(context.value, "supplementalGroups")
        for way, identity in (
            *identities,
            *((("supplementalGroups", i), group) for i, group in enumerate(groups)),
        ):
            if identity is not None and not is_number(identity, 0, 2**31 - 1):
                yield context.says(f"{shape(identity)} is not in 0-2147483647", *way)
        yield from context.among(context.at("procMount"), PROC_MOUNTS, "procMount", or_empty=False)
        policy = context.at("fsGroupChangePolicy")
        yield from context.among(policy, GROUP_POLICIES, "fsGroupChangePolicy", or_empty=False)
        if context.at("windowsOptions") is not None:
            yield context.says("the images are for Linux", "windowsOptions")
        for field in ("seccompProfile", "appArmorProfile"):
            if (profile := context.at(field)) is None:
                continue
            kind, local = context.at(field, "type"), context.at(field, "localhostProfile")
            yield from context.among(str(kind or None), PROFILES, field, "type")
            place = context.below(profile, field)
            if (kind == "Localhost") != (local is not None) or local == "":
                yield place.says("with type Localhost, and only with it", "localhostProfile")
            elif field == "seccompProfile" and local and not fits(local, DESCENDING_PATH, 4096):
                yield place.says(f"{shape(local)} leaves the folder", "localhostProfile")


def unmasked_containers_have_own_users(bundle: Bundle) -> Iterator[Finding]:
    """All of /proc is only for containers whose users are not those of the node."""
    for pod in bundle.pods:
        for container in pod.containers:
            unmasked = container.at("securityContext", "procMount") == "Unmasked"
            if unmasked and pod.at("hostUsers") is not False:
                yield container.says("only with hostUsers false", "securityContext", "procMount")


def annotated_profiles_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Annotations that name profiles, as before there were fields, say what the fields say."""
    for pod in bundle.pods:
        steps = (*pod.steps[:-1], "metadata", "annotations")
        notes = Place(pod.root, at(pod.root, *map(str, steps)), *steps)
        context = pod.at("securityContext")
        named = {
            str(c.at("name")): {**fields(context), **c.fields("securityContext")}
            for c in pod.containers
        }
        for key, profile in notes.fields().items():
            known = next((k for k in ANNOTATED if str(key).startswith(k)), None)
            if known is None:
                continue
            pattern, field = ANNOTATED[known]
            name = str(key).removeprefix(known)
            if not fits(profile, pattern, 4096):
                yield notes.says(f"{shape(profile)} is not a profile", key)
            if name and name not in named:
                yield notes.says(f"the pod has no container {shape(name)}", key)
                continue
            kind = at(named[name] if name else context, field, "type")
            if kind is not None and kind != PROFILE_TYPES.get(str(profile), "Localhost"):
                yield notes.says(f"not the {field} of the securityContext, {shape(kind)}", key)


def kernel_settings_are_valid(bundle: Bundle) -> Iterator[Finding]:
    """Each sysctl of a pod has a name, and is set once."""
    for pod in bundle.pods:
        sysctls = pod.items("securityContext", "sysctls")
        for i, sysctl in sysctls:
            if not fits(name := sysctl.get("name"), SYSCTL, 253):
                yield pod.says(
                    f"{shape(name)} is not a sysctl", "securityContext", "sysctls", i, "name"
                )
        for i in repeated(sysctl.get("name") for _, sysctl in sysctls):
            yield pod.says("set twice", "securityContext", "sysctls", i, "name")


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
    unmasked_containers_have_own_users,
    annotated_profiles_are_valid,
    kernel_settings_are_valid,
    escalation_is_consistent,
    non_root_containers_have_no_root_user,
)
