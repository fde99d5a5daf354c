"""Fills the region of `seed-scale`: 500 routers with a gateway, four subnets behind each.

usage: scale.py [--remove]

Through the API, 2000 subnets and their interfaces take minutes. So Neutron makes one network, its subnets and a router;
every row it wrote for them, in whichever table, is then copied under other ids, names and addresses.
"""

import ipaddress
import re
import sys
import uuid

import api
import seed

REGION = "nz-big-1"
ROUTERS = 500
SUBNETS_EACH = 4
EXTERNAL = ipaddress.ip_network("100.64.0.0/20")
FIRST_GATEWAY = EXTERNAL[100]


def prefix(number):
    """The first three octets of subnet NUMBER."""
    return f"10.{100 + number // 256}.{number % 256}."


def make_one(token):
    """The network, router and subnets that are copied; returns their ids."""
    demo, _ = api.sign_in("demo", api.PASSWORD, "demo")
    admin, owner = api.Region(REGION, token), api.Region(REGION, demo)
    public = admin.make(
        "networks",
        **{
            "name": "public-net",
            "router:external": True,
            "provider:network_type": "flat",
            "provider:physical_network": "public",
        },
    )
    outside = seed.add_subnet(admin, public, None, str(EXTERNAL))
    network = owner.make("networks", name="net-00000")
    fixed = {"subnet_id": outside["id"], "ip_address": str(FIRST_GATEWAY)}
    gateway = {"network_id": public["id"], "external_fixed_ips": [fixed]}
    router = admin.make(
        "routers", name="router-00000", project_id=network["project_id"], external_gateway_info=gateway
    )
    ids = {network["id"], router["id"]}
    for number in range(SUBNETS_EACH):
        cidr = prefix(number) + "0/24"
        subnet = owner.make("subnets", name=f"subnet-{number:05}", network_id=network["id"], ip_version=4, cidr=cidr)
        owner.put(f"routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        ids.add(subnet["id"])
    return ids


def rows_of(database, ids):
    """All rows that are about the objects `ids`, table by table; adds to `ids` those of their parts."""
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    content = {table: [dict(row) for row in database.execute(f'SELECT * FROM "{table}"')] for table in tables}
    found = {}
    while True:
        before = len(ids), sum(map(len, found.values()))
        for table, rows in content.items():
            # The gateway's address is known by nothing but itself in the external subnet's allocations.
            known = ids | {str(FIRST_GATEWAY)} if table == "ipamallocations" else ids
            found[table] = [row for row in rows if known & set(row.values())]
            ids |= {row["id"] for row in found[table] if isinstance(row.get("id"), str)}
        if before == (len(ids), sum(map(len, found.values()))):
            break
    numbers = {row["standard_attr_id"] for rows in found.values() for row in rows if "standard_attr_id" in row}
    found["standardattributes"] = [row for row in content["standardattributes"] if row["id"] in numbers]
    return {table: rows for table, rows in found.items() if rows}


class Copy:
    """The values of one copy in place of those of the original."""

    def __init__(self, number, ids, attributes, next_attribute):
        self.number = number
        self.ids = {old: str(uuid.uuid4()) for old in ids}
        self.attributes = {old: next_attribute + at for at, old in enumerate(sorted(attributes))}
        self.text = {str(FIRST_GATEWAY): str(FIRST_GATEWAY + number)}
        for kind in ("net", "router"):
            self.text[f"{kind}-00000"] = f"{kind}-{number:05}"
        for at in range(SUBNETS_EACH):
            self.text[f"subnet-{at:05}"] = f"subnet-{number * SUBNETS_EACH + at:05}"

    def value(self, table, column, value):
        if column == "standard_attr_id" or (table == "standardattributes" and column == "id"):
            return self.attributes[value]
        if not isinstance(value, str):
            return value
        if column == "mac_address":
            return f"fa:16:3f:{self.number >> 8:02x}:{self.number & 255:02x}:{value[-2:]}"
        if value in self.ids:
            return self.ids[value]
        if inside := re.fullmatch(r"10\.100\.([0-3])\.(.+)", value):
            return prefix(self.number * SUBNETS_EACH + int(inside[1])) + inside[2]
        return self.text.get(value, value)


def copy_all(database, ids):
    rows = rows_of(database, ids)
    # The last octet tells the ports of one copy apart.
    for at, port in enumerate(rows["ports"]):
        port["mac_address"] = f"fa:16:3f:00:00:{at:02x}"
    attributes = {row["id"] for row in rows["standardattributes"]}
    next_attribute = database.execute("SELECT max(id) + 1 FROM standardattributes").fetchone()[0]
    database.execute("BEGIN IMMEDIATE")
    for number in range(1, ROUTERS):
        copy = Copy(number, ids, attributes, next_attribute)
        next_attribute += len(attributes)
        for table, originals in rows.items():
            columns = list(originals[0])
            places = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
            values = [[copy.value(table, column, row[column]) for column in columns] for row in originals]
            database.executemany(statement, values)
    if broken := database.execute("PRAGMA foreign_key_check").fetchall():
        raise SystemExit(f"copied rows point nowhere: {[tuple(row) for row in broken[:3]]}")
    database.execute("COMMIT")


def remove():
    token = api.admin()
    url = f"{api.AUTH_URL}/endpoints?region_id={REGION}"
    for endpoint in api.call("GET", url, token)["endpoints"]:
        api.call("DELETE", f"{api.AUTH_URL}/endpoints/{endpoint['id']}", token)
    regions = api.call("GET", f"{api.AUTH_URL}/regions", token)["regions"]
    if any(region["id"] == REGION for region in regions):
        api.call("DELETE", f"{api.AUTH_URL}/regions/{REGION}", token)


def main():
    if sys.argv[1:] == ["--remove"]:
        return remove()
    api.wait_for(REGION, api.network_url(REGION) + "/")
    token = api.admin()
    ids = make_one(token)
    database = api.database(REGION)
    copy_all(database, ids)
    counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("routers", "subnets")]
    seed.add_region(token, REGION, "Many routers")
    print(f"{REGION}: {counts[0]} routers, {counts[1]} subnets with the external one, pages of 100")


if __name__ == "__main__":
    try:
        main()
    except api.Refused as refusal:
        raise SystemExit(str(refusal)) from None
