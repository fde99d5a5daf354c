"""Plays the VPN agents of all regions by comparing the two halves of each VPN, as strongSwan would decide.

usage: agent_compare.py STATE [--delay SECONDS] [--never | --error] [--strict]     started by `up`

Two connections are a tunnel if each one's peer is the other's router, if key, IKE version and identities fit, and if
what each expects behind the other overlaps with what is there. Differing algorithms do not matter: strongSwan adds its
default proposals to the configured ones. A tunnel makes its connections ACTIVE, all others are DOWN. A service that has
a connection is ACTIVE; without one it stays PENDING_CREATE, since agents report nothing about it.
"""

import argparse
import glob
import ipaddress
import os
import signal
import sqlite3
import sys
import time

QUERY = """
SELECT c.*, s.id AS service, s.status AS service_status, s.subnet_id, s.admin_state_up AS service_up,
       s.external_v4_ip, s.external_v6_ip, k.ike_version, k.phase1_negotiation_mode AS mode,
       p.transform_protocol, p.encapsulation_mode,
       k.auth_algorithm || k.encryption_algorithm || k.pfs AS ike,
       p.auth_algorithm || p.encryption_algorithm || p.pfs AS esp,
       (SELECT group_concat(n.cidr) FROM subnets n WHERE n.id = s.subnet_id OR n.id IN
           (SELECT endpoint FROM vpn_endpoints WHERE endpoint_group_id = c.local_ep_group_id)) AS local_cidrs,
       coalesce((SELECT group_concat(cidr) FROM ipsecpeercidrs WHERE ipsec_site_connection_id = c.id),
           (SELECT group_concat(endpoint) FROM vpn_endpoints WHERE endpoint_group_id = c.peer_ep_group_id))
           AS peer_cidrs
FROM ipsec_site_connections c JOIN vpnservices s ON s.id = c.vpnservice_id
JOIN ikepolicies k ON k.id = c.ikepolicy_id JOIN ipsecpolicies p ON p.id = c.ipsecpolicy_id
"""


def plain(identity):
    """An address in its shortest form; any other identity as it is."""
    try:
        return str(ipaddress.ip_address(identity))
    except ValueError:
        return identity


def networks(cidrs):
    return {ipaddress.ip_network(cidr, strict=False) for cidr in (cidrs or "").split(",") if cidr}


class Connection:
    def __init__(self, region, row):
        self.region, self.row, self.id = region, row, row["id"]
        self.peer = plain(row["peer_address"])
        self.address = plain(row["external_v6_ip" if ":" in self.peer else "external_v4_ip"] or "")
        self.identity = plain(row["local_id"] or self.address)
        self.local, self.expected = networks(row["local_cidrs"]), networks(row["peer_cidrs"])

    def meets(self, other):
        return bool(self.address) and self.peer == other.address and other.peer == self.address


def overlap(some, others):
    return any(a.version == b.version and a.overlaps(b) for a in some for b in others)


def differences(a, b, strict):
    """Why two connections that point at each other are no tunnel."""
    same = ["psk", "ike_version", "mode", "transform_protocol", "encapsulation_mode"] + ["ike", "esp"] * strict
    found = [f"{name} differs" for name in same if a.row[name] != b.row[name]]
    if a.row["mode"] == "aggressive" and a.row["ike_version"] == "v1":
        found.append("strongSwan refuses aggressive mode with a key")
    for one, other in ((a, b), (b, a)):
        if plain(one.row["peer_id"]) != other.identity:
            found.append(f"{one.region} expects the identity {one.row['peer_id']}, not {other.identity}")
        fits = one.expected == other.local if strict else overlap(one.expected, other.local)
        if not fits:
            found.append(f"{one.region} expects other networks than there are")
        if not (one.row["admin_state_up"] and one.row["service_up"]):
            found.append(f"{one.region} is switched off")
    return found


class Agents:
    def __init__(self, options):
        self.options = options
        self.since, self.told = {}, {}

    def say(self, key, text):
        if self.told.get(key) != text:
            self.told[key] = text
            print(time.strftime("%H:%M:%S"), text, flush=True)

    def tunnels(self, connections):
        """The ids of the connections whose tunnel has stood for the delay."""
        now, pairs, up = time.monotonic(), set(), set()
        for at, a in enumerate(connections):
            for b in connections[at + 1 :]:
                if a.row["service"] == b.row["service"] or not a.meets(b):
                    continue
                pair = (a.id, b.id)
                if why := differences(a, b, self.options.strict):
                    self.say(pair, f"no tunnel between {a.region} and {b.region}: {'; '.join(why)}")
                    continue
                pairs.add(pair)
                if now - self.since.setdefault(pair, now) >= self.options.delay:
                    up |= set(pair)
        self.since = {pair: since for pair, since in self.since.items() if pair in pairs}
        return up

    def turn(self, databases):
        connections = [Connection(name, row) for name, db in databases.items() for row in db.execute(QUERY).fetchall()]
        up = self.tunnels(connections)
        if self.options.never or self.options.error:
            up = set()
        # An agent stops a service none of whose connections is switched on.
        running = {c.row["service"] for c in connections if c.row["service_up"] and c.row["admin_state_up"]}
        for connection in connections:
            status = "ACTIVE" if connection.id in up else "ERROR" if self.options.error else "DOWN"
            service = "ACTIVE" if connection.row["service"] in running else "DOWN"
            if connection.row["status"] == "PENDING_CREATE" and not connection.row["admin_state_up"]:
                status = "PENDING_CREATE"  # agents never report what was never switched on
            # Reading again in the statement: the status of one read above may have changed since.
            for table, key, wanted in (
                ("ipsec_site_connections", connection.id, status),
                ("vpnservices", connection.row["service"], service),
            ):
                statement = f"UPDATE {table} SET status = ? WHERE id = ? AND status != ?"
                if databases[connection.region].execute(statement, (wanted, key, wanted)).rowcount:
                    self.say(key, f"{connection.region} {table} {key}: {wanted}")


def open_databases(state):
    found = {}
    for path in sorted(glob.glob(os.path.join(state, "db", "*.db"))):
        name = os.path.basename(path).removesuffix(".db")
        if name != "keystone":
            found[name] = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30, isolation_level=None)
            found[name].row_factory = sqlite3.Row
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("state")
    parser.add_argument("--delay", type=float, default=1, help="seconds a tunnel takes to come up (default: 1)")
    parser.add_argument("--never", action="store_true", help="no tunnel comes up")
    parser.add_argument("--error", action="store_true", help="as --never, and the connections are in ERROR")
    parser.add_argument("--strict", action="store_true", help="policies and networks must be equal, as for Libreswan")
    agents = Agents(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    print("ready", flush=True)
    while True:
        # Opened again each time: a region may have come or gone.
        databases = open_databases(agents.options.state)
        try:
            agents.turn(databases)
        except sqlite3.Error as error:
            agents.say("database", f"database: {error}")
        finally:
            for database in databases.values():
                database.close()
        time.sleep(0.5)


main()
