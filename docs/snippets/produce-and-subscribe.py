"""Produces a log line and an observation, and prints what is told until the first incident. Python 3.8+, standard library only."""
import json
import os
import urllib.request

gateway = os.environ.get("AEGIS_GATEWAY_URL", "http://127.0.0.1:14318")


def post(path, values):
    request = urllib.request.Request(gateway + path, json.dumps(values).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


print(post("/api/v1/logs", [{"entity": "service:payment", "environment": "prod-eu", "severity": "ERROR", "body": "cannot reach bank: connection refused"}]))
print(post("/api/v1/observations", [{"entity": "service:payment", "environment": "prod-eu", "metric_name": "queue.length", "value": 7}]))

with urllib.request.urlopen(gateway + "/api/v1/events?streams=incidents,remediation.decisions") as events:
    stream = ""
    for line in events:
        if line.startswith(b"event: "):
            stream = line[7:].decode().strip()
        if line.startswith(b"data: "):
            record = json.loads(line[6:])
            # Everybody hears of all environments; ours is one of them.
            if record["environment"] != "prod-eu":
                continue
            print(stream, record["id"], record["explanation"])
            # The two topics have no order between them: a decision may come before its incident.
            if stream == "incidents":
                break
