"""A rendered Helm chart as a construct."""

from collections.abc import Mapping

from cdk8s import ApiObject, JsonPatch
from constructs import Construct

from imports.error import ChartError
from imports.patches import Object
from imports.release import ReleaseManifests


class HelmChart(Construct):
    """The objects of a chart, word for word as they were rendered and patched.

    `objects` has them by kind and name; `host` and `port` are those of the Service that clients
    are to use, `selector` is what finds the pods behind it.
    """

    host: str
    port: int
    selector: Mapping[str, str] | None

    def __init__(self, scope: Construct, id: str, manifests: ReleaseManifests) -> None:
        super().__init__(scope, id)
        self.objects: Mapping[tuple[str, str], Object] = {
            (manifest["kind"], manifest["metadata"]["name"]): manifest
            for manifest in manifests.objects
        }
        for (kind, name), manifest in self.objects.items():
            api_object = ApiObject(
                self, f"{kind}-{name}", api_version=manifest["apiVersion"], kind=kind
            )
            api_object.add_json_patch(JsonPatch.replace("", manifest))

    def of(self, kind: str) -> list[Object]:
        """The objects of a kind."""
        return [manifest for (found, _), manifest in self.objects.items() if found == kind]

    def answer_at(self, store: str, target_port: str = "", role: str = "") -> None:
        """Take host and port from the Service that leads to the container port of that name.

        Only Services with an address of their own count, and with a `role` those whose selector
        asks for it. Raises ChartError if there is none.
        """
        for service in self.of("Service"):
            spec = service["spec"]
            roles = ("", *spec.get("selector", {}).values())
            if spec.get("clusterIP") != "None" and role in roles:
                for port in spec["ports"]:
                    if target_port in ("", port.get("targetPort")):
                        self.host, self.port = service["metadata"]["name"], int(port["port"])
                        self.selector = spec.get("selector")
                        return
        raise ChartError(store, "the chart makes no Service that the servers could use")

    def secret_with(self, key: str) -> Object | None:
        """The Secret that has the key."""
        return next((found for found in self.of("Secret") if key in found.get("data", {})), None)
