"""Does what `migrate` beside it says.

usage: migrate.py TEST_HOME FILE [--record]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid

import pymysql

WORDS = {
    "ike": (
        "ikepolicies",
        "ike_version phase1_negotiation_mode auth_algorithm encryption_algorithm pfs lifetime_value",
    ),
    "ipsec": (
        "ipsecpolicies",
        "transform_protocol encapsulation_mode auth_algorithm encryption_algorithm pfs lifetime_value",
    ),
}
# What the migration must leave as it is.
OTHERS = "vpnservices ipsec_site_connections ipsecpeercidrs vpn_endpoint_groups vpn_endpoints".split()


class MariaDb:
    """A server of its own that listens on a socket in its directory alone."""

    def __init__(self, directory):
        self.socket = os.path.join(directory, "socket")
        data = os.path.join(directory, "data")
        user = ["--user=root"] if os.geteuid() == 0 else []
        log = open(os.path.join(directory, "log"), "w+")
        make = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        make.append("--auth-root-authentication-method=normal")
        subprocess.run([*make, *user], check=True, stdout=log, stderr=log)
        serve = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking"]
        self.server = subprocess.Popen([*serve, *user], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.connect().close()
            except pymysql.err.OperationalError:
                if self.server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit("MariaDB did not start:\n" + "".join(log.readlines()[-20:])) from None
                time.sleep(0.1)

    def connect(self, database=None):
        return pymysql.connect(user="root", unix_socket=self.socket, database=database, autocommit=True)

    def migrate(self, database, home, release):
        manage = os.path.join(home, release, "venv/bin/neutron-db-manage")
        url = f"mysql+pymysql://root@localhost/{database}?unix_socket={self.socket}"
        done = subprocess.run([manage, "--database-connection", url, "upgrade", "heads"], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the migration to {release} failed:\n{done.stdout}{done.stderr}")


def insert(cursor, table, **values):
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(values.values()))


def store(cursor, half, is_legacy):
    """Both policies, a service and a connection; returns the policies' ids."""
    ids = {}
    for kind, (table, columns) in WORDS.items():
        ids[kind] = str(uuid.uuid4())
        words = dict(zip(columns.split(), half[kind].split(), strict=True))
        insert(cursor, table, id=ids[kind], lifetime_units="seconds", **words)
    service, connection, subnet = (str(uuid.uuid4()) for _ in range(3))
    state = {"status": "ACTIVE", "admin_state_up": 1}
    insert(cursor, "vpnservices", id=service, router_id=subnet, subnet_id=subnet if is_legacy else None, **state)
    insert(
        cursor, "ipsec_site_connections", id=connection, vpnservice_id=service, ikepolicy_id=ids["ike"],
        ipsecpolicy_id=ids["ipsec"], peer_address="203.0.113.9", peer_id="203.0.113.9", route_mode="static", mtu=1500,
        initiator="bi-directional", auth_mode="psk", psk="pre_shared_key", dpd_action="restart", dpd_interval=15,
        dpd_timeout=150, **state,
    )  # fmt: skip
    if is_legacy:
        insert(cursor, "ipsecpeercidrs", cidr="10.20.30.0/24", ipsec_site_connection_id=connection)
    return ids


def stored(cursor, kind, id_):
    table, columns = WORDS[kind]
    cursor.execute(f"SELECT {columns.replace(' ', ', ')} FROM {table} WHERE id = %s", (id_,))
    return " ".join(str(word) for word in cursor.fetchone())


def others(cursor):
    rows = []
    for table in OTHERS:
        cursor.execute(f"SELECT * FROM {table}")
        rows.append(sorted(map(repr, cursor.fetchall())))
    return rows


def refused(cursor, half):
    """What the database says to policies with the words that were there before."""
    try:
        store(cursor, half, False)
    except pymysql.err.DataError as error:
        return f"{error.args[0]} {error.args[1]}"
    return "stored"


def observe(server, home, inventories):
    names = sorted({half["region"] for one in inventories for half in one["halves"].values()})
    databases, cursors = {name: name.replace("-", "_") for name in names}, {}
    for name, database in databases.items():
        with server.connect() as connection:
            connection.cursor().execute(f"CREATE DATABASE {database} CHARACTER SET utf8mb3")
        server.migrate(database, home, "2026.1")
        cursors[name] = server.connect(database).cursor()
        # Routers and subnets are not what this is about.
        cursors[name].execute("SET FOREIGN_KEY_CHECKS = 0")
    ids = []
    for one in inventories:
        halves = one["halves"].items()
        ids.append({h: store(cursors[half["region"]], half, one.get("legacy", False)) for h, half in halves})
    before = {name: others(cursor) for name, cursor in cursors.items()}
    for name, database in databases.items():
        server.migrate(database, home, "2026.2")
        if others(cursors[name]) != before[name]:
            raise SystemExit(f"{name}: the migration changed more than policies")
    seen = []
    for one, made in zip(inventories, ids, strict=True):
        of = {half: cursors[one["halves"][half]["region"]] for half in made}
        after = {half: {kind: stored(of[half], kind, id_) for kind, id_ in ids.items()} for half, ids in made.items()}
        half = one["halves"]["A"]
        seen.append({**one, "after": after, "created_after": refused(cursors[half["region"]], half)})
    return seen


def main():
    home, path, *options = sys.argv[1:]
    with open(path) as file:
        recorded = json.load(file)
    with tempfile.TemporaryDirectory(prefix="osvpn-migrate-") as directory:
        server = MariaDb(directory)
        try:
            seen = {**recorded, "inventories": observe(server, home, recorded["inventories"])}
        finally:
            server.server.terminate()
            server.server.wait()
    if options:
        with open(path, "w") as file:
            file.write(json.dumps(seen, indent=1) + "\n")
        return print(f"recorded {len(seen['inventories'])} inventories")
    differing = [one["name"] for one, other in zip(seen["inventories"], recorded["inventories"]) if one != other]
    if differing:
        raise SystemExit(f"other than recorded in {path}: {', '.join(differing)}")
    print(f"{len(seen['inventories'])} inventories are migrated as recorded")


main()
