"""Names, labels and selectors of all objects, and the address under which a component answers."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cdk8s_plus_25 import k8s


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Names and labels of one release; the same as the Helm chart's for release `clearml`."""

    release: str
    application: str
    fullname: str

    def name(self, component: str) -> str:
        """Name of an object of ClearML itself."""
        return f"{self.fullname}-{component}"

    def selector(self, component: str) -> dict[str, str]:
        """Labels that find the pods of a component; a Deployment can never change them."""
        return {
            "app.kubernetes.io/name": self.application,
            "app.kubernetes.io/instance": f"{self.release}-{component}",
        }

    def store_selector(self, store: str, component: str) -> dict[str, str]:
        """Labels that find the pods of a data store's component, such as Redis' master."""
        return {
            "app.kubernetes.io/name": store,
            "app.kubernetes.io/instance": self.release,
            "app.kubernetes.io/component": component,
        }

    def labels(self, component: str) -> dict[str, str]:
        """Labels of an object."""
        return {
            "app.kubernetes.io/name": self.application,
            "app.kubernetes.io/instance": self.release,
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": self.application,
            "app.kubernetes.io/managed-by": "cdk8s",
        }

    def metadata(self, component: str, name: str | None = None) -> k8s.ObjectMeta:
        """Metadata of an object; its name is the component's unless another is given."""
        return k8s.ObjectMeta(name=name or self.name(component), labels=self.labels(component))


@dataclass(frozen=True)
class Address:
    """Where a Service answers inside the cluster."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as an HTTP URL."""
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True)
class SecretRef:
    """A Secret, and the digest of its content where this program knows it."""

    name: str
    checksum: str | None = None

    def key(self, key: str) -> k8s.EnvVarSource:
        """An environment variable's value, taken from one key."""
        return k8s.EnvVarSource(secret_key_ref=k8s.SecretKeySelector(name=self.name, key=key))


def checksum(content: Mapping[str, str]) -> str:
    """A digest that changes with the content, to roll pods that read it only at their start."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
