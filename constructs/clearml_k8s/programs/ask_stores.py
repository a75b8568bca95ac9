"""Asks the API server at a URL for what it can only answer with MongoDB and Elasticsearch.

It logs in as the server's own user, whom MongoDB knows, for the lengths of queues an age ago, which
Elasticsearch finds in no time (service_repo/auth/auth.py, bll/queue/queue_metrics.py; as of 1.0).
Ends with 1 and says why, if there is no answer, or an error.
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 60  # the kubelet is less patient
USER = "CLEARML__SECURE__CREDENTIALS__APISERVER__USER_"
AN_AGE_AGO = {"from_date": 1, "to_date": 2, "interval": 3600}


def main(server: str) -> None:
    """Ask, and raise OSError without an answer."""
    # The server reads them as HOCON, where they may be in quotes.
    key, secret = (os.environ[USER + half].strip('"') for half in ("KEY", "SECRET"))
    login = base64.b64encode(f"{key}:{secret}".encode()).decode("ascii")
    request = urllib.request.Request(
        server + "/queues.get_queue_metrics",
        json.dumps(AN_AGE_AGO).encode("utf-8"),
        {"Content-Type": "application/json", "Authorization": "Basic " + login},
    )
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    without_proxy.open(request, timeout=TIMEOUT_SECONDS).close()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except urllib.error.HTTPError as error:
        reason = error.read().decode("utf-8", "replace")
        sys.exit(f"{error}: {reason[:300]}")
    except OSError as error:
        sys.exit(str(error))
