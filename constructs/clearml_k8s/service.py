"""Services in front of the servers."""

from cdk8s_plus_25 import k8s
from constructs import Construct

from clearml_k8s.naming import Address, Naming
from config.types.structs import int_or_string
from config.workload import Service

HTTP = "http"


def service(scope: Construct, naming: Naming, component: str, values: Service) -> Address:
    """Make the Service of a component, which forwards to the container port `http`."""
    metadata = naming.metadata(component)
    k8s.KubeService(
        scope,
        "service",
        metadata=metadata,
        spec=k8s.ServiceSpec(
            type=values.type,
            selector=naming.selector(component),
            ports=[
                k8s.ServicePort(
                    name=HTTP,
                    port=values.port,
                    target_port=int_or_string(HTTP),
                    node_port=values.published_node_port,
                )
            ],
        ),
    )
    return Address(naming.name(component), values.port)
