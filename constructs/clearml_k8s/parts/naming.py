"""Names, labels and selectors of all objects, and the addresses that components hand out."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from cdk8s_plus_25 import k8s

from clearml_k8s.parts.contents import Contents
from config.release import KEPT, MANAGED_BY


@dataclass(frozen=True)
class Common:
    """What holds for all components; each may be empty.

    `image_registry` is that of images which name none of their own, `storage_class` that of claims
    which name none, `pull_secrets` are the Secrets that all pods pull their images with,
    `restored` are the stores whose data a Job is about to replace. `contents` is what the Secrets
    and ConfigMaps hold that were made so far: before the pods that read them.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    image_registry: str = ""
    pull_secrets: Sequence[str] = ()
    storage_class: str = ""
    restored: Collection[str] = ()
    contents: Contents = field(default_factory=Contents)


class Component(NamedTuple):
    """A component of the installation: what its objects are called, and what finds its pods."""

    name: str
    labels: Mapping[str, str]
    selector: Mapping[str, str]
    """Labels that find the pods; a Deployment or StatefulSet can never change them."""
    common: Common = Common()

    def metadata(
        self,
        name: str | None = None,
        annotations: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> k8s.ObjectMeta:
        """Metadata of an object; its name is the component's unless another is given."""
        return k8s.ObjectMeta(
            name=name or self.name,
            labels={**self.labels, **self.common.labels, **(labels or {})},
            annotations={**self.common.annotations, **(annotations or {})} or None,
        )

    def pod_labels(self, more: Mapping[str, str]) -> dict[str, str]:
        """Labels of the pods; those of the selector cannot be replaced."""
        return {**self.labels, **self.common.labels, **more, **self.selector}

    @property
    def headless(self) -> str:
        """Name of the headless Service of a StatefulSet."""
        return f"{self.name}-headless"

    def host(self, ordinal: int) -> str:
        """Host name of one pod of a StatefulSet."""
        return f"{self.name}-{ordinal}.{self.headless}"


class Naming(NamedTuple):
    """Names and labels of one release; the same as the Helm chart's for release `clearml`."""

    release: str
    application: str
    fullname: str
    common: Common = Common()

    def pulling_with(self, secrets: Sequence[str]) -> Self:
        """The same, where all pods pull their images with these Secrets."""
        return self._replace(common=dataclasses.replace(self.common, pull_secrets=secrets))

    def namespace(self, name: str, *, keep: bool) -> k8s.ObjectMeta:
        """Metadata of the Namespace, which is no part of any component."""
        return k8s.ObjectMeta(
            name=name,
            labels=self.common.labels or None,
            annotations={**(KEPT if keep else {}), **self.common.annotations} or None,
        )

    def component(self, name: str) -> Component:
        """A component of ClearML itself, called `<fullname>-<name>`."""
        return self._component(
            f"{self.fullname}-{name}",
            self._labels(name),
            {
                "app.kubernetes.io/name": self.application,
                "app.kubernetes.io/instance": f"{self.release}-{name}",
            },
        )

    def store(self, store: str, component: str, name: str) -> Component:
        """A component of a data store, such as Redis' master, under the name given."""
        selector = {
            "app.kubernetes.io/name": store,
            "app.kubernetes.io/instance": self.release,
            "app.kubernetes.io/component": component,
        }
        return self._component(name, self._labels(component) | selector, selector)

    def _component(
        self, name: str, labels: Mapping[str, str], selector: Mapping[str, str]
    ) -> Component:
        return Component(
            name=name,
            labels=labels,
            selector=selector,
            common=self.common,
        )

    def _labels(self, component: str) -> dict[str, str]:
        return {
            "app.kubernetes.io/name": self.application,
            "app.kubernetes.io/instance": self.release,
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/part-of": self.application,
            "app.kubernetes.io/managed-by": MANAGED_BY,
        }


@dataclass(frozen=True)
class Address:
    """Where a Service answers inside the cluster."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address as an HTTP URL."""
        return f"http://{self.host}:{self.port}"

    def urls_from(self, namespace: str) -> list[str]:
        """The HTTP URLs that pods may use of a Service in that namespace, theirs or another."""
        domains = ("", f".{namespace}", f".{namespace}.svc", f".{namespace}.svc.cluster.local")
        return [f"http://{self.host}{domain}:{self.port}" for domain in domains]


class SecretRef(NamedTuple):
    """A Secret."""

    name: str

    def key(self, key: str) -> k8s.EnvVarSource:
        """An environment variable's value, taken from one key."""
        return k8s.EnvVarSource(secret_key_ref=k8s.SecretKeySelector(name=self.name, key=key))
