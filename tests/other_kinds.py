"""Strict schemas of kinds that are not Kubernetes' own: what we write of them, and no more."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}


def mapping(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """A mapping with these keys and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def kind(spec: Schema) -> Schema:
    """An object in a namespace."""
    metadata = mapping({"name": TEXT, "namespace": TEXT}, {"labels": TEXTS, "annotations": TEXTS})
    return mapping({"apiVersion": TEXT, "kind": TEXT, "metadata": metadata, "spec": spec})


SCHEMAS: dict[str, Schema] = {
    "monitoring.coreos.com/v1/ServiceMonitor": kind(
        mapping(
            {
                "endpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": mapping({"port": TEXT}, {"interval": TEXT}),
                },
                "selector": mapping({"matchLabels": TEXTS}),
            }
        )
    )
}
