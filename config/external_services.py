"""How later ClearML charts name an Elasticsearch outside the installation."""

import json


def elasticsearch_hosts(text: object) -> dict[str, list[str]]:
    """`elasticsearch.external` as a connection string says it; raises ValueError for none."""
    try:
        hosts = json.loads(str(text))
        return {
            "hosts": [
                f"{host.get('scheme') or 'http'}://{host['host']}:{host.get('port', 9200)}"
                for host in hosts
            ]
        }
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ValueError('must be a JSON list such as [{"host": "es", "port": 9200}]') from None
