"""JSON is a contract: what commands print is what docs/schemas says."""

import json
import os
import re

from lib.registry import BOTH, Skip, behaviour
from lib.traffic import must_ping
from lib.tunnel import new_preshared_key, new_private_key

from test_monitoring import Watch
from test_quick import CONFIG, Quick

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
         "number": (int, float)}


def problems(value, schema, where="$"):
    """What of a value is not as the schema says: the few words of JSON Schema that ours use."""
    kind = TYPES.get(schema.get("type"), object)
    if not isinstance(value, kind) or (kind in (int, TYPES["number"]) and isinstance(value, bool)):
        return [f"{where}: {value!r} is no {schema['type']}"]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: {value!r} is less than {schema['minimum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += problems(item, schema.get("items", {}), f"{where}[{index}]")
    if isinstance(value, dict):
        found += [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
        for name, member in value.items():
            found += problems(name, schema.get("propertyNames", {}), f"{where}: the name {name!r}")
            rest = schema.get("additionalProperties", {})
            inner = schema.get("properties", {}).get(name, rest)
            if inner is False:
                found.append(f"{where}: {name} is not in the schema")
            else:
                found += problems(member, inner, f"{where}.{name}")
    return found


def schema(name):
    with open(os.path.join(ROOT, "docs", "schemas", f"{name}.json")) as file:
        return json.load(file)


def must_be(name, value):
    assert not (found := problems(value, schema(name))), found


def tool(scene):
    path = f"{scene.build_dir}/ferrule"
    if not os.path.exists(path):
        raise Skip("ferrule is not built")
    return path


@behaviour
def test_the_check_of_schemas_finds_what_is_wrong(scene):
    good = {"version": 1, "tunnels": [{"interface": "wg0", "state": "up", "peers": 3}]}
    assert not problems(good, schema("status"))
    for bad in ({"version": 2, "tunnels": []}, {"tunnels": []}, {"version": 1, "tunnels": {}},
                {"version": 1, "tunnels": [{"interface": "wg0", "state": "gone"}]},
                {"version": 1, "tunnels": [{"interface": "wg0", "state": "up", "more": 1}]},
                {"version": 1, "tunnels": [{"interface": "wg0", "state": "up", "peers": -1}]}):
        assert problems(bad, schema("status")), bad


@behaviour
def test_running_tunnels_are_told_as_the_schemas_say(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    program = tool(scene)
    must_be("status", json.loads(left.host.out([program, "status", "--json", "wg0"])))
    must_be("show", json.loads(left.host.out([program, "show", "--json"])))


@behaviour
def test_files_and_their_peers_are_told_as_the_schemas_say(scene):
    host = scene.host("left")
    host.run("mkdir -p /run/test")
    program, conf = tool(scene), "/run/test/wg0.conf"
    host.run([program, "init", conf, "--server", "--endpoint", "192.0.2.1"])
    host.run([program, "peer", "add", conf, "alice", "--psk", "--expires", "12h"])
    host.run([program, "peer", "add", conf, "bob"])
    host.run([program, "peer", "disable", conf, "bob"])
    listed = json.loads(host.out([program, "peer", "list", conf, "--json"]))
    assert len(listed) == 2
    for peer in listed:
        must_be("peer", peer)
    must_be("peer", json.loads(host.out([program, "peer", "show", conf, "alice", "--json"])))
    host.run(["sh", "-c", f"echo 'Nonsense = 1' >> {conf}"])
    findings = json.loads(host.run([program, "check", conf, "--json"], check=False).stdout)
    assert findings
    must_be("check", findings)


@behaviour(peers=BOTH)
def test_what_watch_tells_is_as_its_schema_says(scene):
    left, right = scene.pair()
    watch = Watch(scene, left.host).once_it_looks(left)
    must_ping(left.host, right.inside4)
    watch.wait("connected", peer=str(right.public_key))
    right.set("listen-port 40000")
    must_ping(right.host, left.inside4)
    watch.wait("roamed")
    left.remove(right)
    watch.wait("peer_removed")
    left.daemon.stop()
    watch.wait("device_vanished")
    assert {"peer_added", "connected", "roamed"} <= {event["event"] for event in watch.events()}
    for event in watch.events():
        must_be("watch", event)


@behaviour(deadline_s=90)
def test_diagnoses_are_told_as_the_schema_says(scene):
    tunnel, puppet = scene.solo()
    tunnel.set(f"peer {puppet.public_key} remove peer {new_private_key().public} allowed-ips 10.9.0.0/16")
    told = tunnel.host.run([tool(scene), "doctor", "wg0", "--json"], check=False, timeout_s=60)
    findings = json.loads(told.stdout)
    assert findings, told
    must_be("doctor", findings)


@behaviour
def test_what_changes_is_told_as_the_schemas_say(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    stranger = f"[Peer]\nPublicKey = {new_private_key().public}\nAllowedIPs = 10.98.0.0/16\n"
    stations = (quick.config("MTU = 1300\nFwMark = 9"), quick.config() + stranger,
                quick.config(peer="AllowedIPs = 10.10.0.0/25\nPersistentKeepalive = 7"),
                quick.config(endpoint="192.0.2.2:7", peer=f"PresharedKey = {new_preshared_key()}"))
    changes = set()
    for text in stations:
        quick.write(text)
        told = json.loads(quick.run("ferrule", "reload --json")[1].splitlines()[-1])
        must_be("reload", told)
        changes |= {change["change"] for change in told["changes"]}
    assert {"fwmark", "peer-added", "peer-removed", "endpoint", "allowed-ips", "preshared-key",
            "persistent-keepalive"} <= changes, changes
    quick.run("ferrule", "down")
    quick.write(quick.config(endpoint="nowhere.invalid:5"))
    quick.run("ferrule", "up")
    told = quick.host.run([quick.paths["ferrule"], "resolve", "--json", CONFIG], check=False).stdout
    must_be("resolve", json.loads(told))
    quick.run("ferrule", "down")
