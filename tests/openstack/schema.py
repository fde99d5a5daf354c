"""Makes the regions' empty databases; run by `up`.

usage: schema.py FILE [FILE...]

Neutron's migrations alter constraints in place, which SQLite cannot. So the tables come from the models the migrations
lead to, and the version tables get the migrations' last revisions.
"""

import os
import shutil
import sqlite3
import sys
import uuid
from importlib.resources import files

import sqlalchemy as sa
from neutron.db.migration.models import head
from neutron_vpnaas.db.models import head as _vpnaas_tables  # noqa: F401

VPN_TABLES = (
    "ikepolicies ipsec_site_connections ipsecpeercidrs ipsecpolicies vpn_endpoint_groups vpn_endpoints"
    " vpnservices"
).split()


def enforce_types(table):
    """MariaDB refuses a value outside an ENUM and a string too long for its column; SQLite stores both.

    It matters where VPNaaS lets through what its table no longer takes, such as sha1 in 2026.2.
    """
    for column in list(table.columns):
        if isinstance(column.type, sa.Enum):
            rule = column.in_(column.type.enums)
        elif isinstance(column.type, sa.String) and column.type.length:
            rule = sa.func.length(column) <= column.type.length
        else:
            continue
        table.append_constraint(sa.CheckConstraint(rule, name=f"type_{table.name}_{column.name}"))


def revisions(package):
    versions = files(package) / "db/migration/alembic_migrations/versions"
    return [(versions / name).read_text().strip() for name in ("CONTRACT_HEAD", "EXPAND_HEAD")]


def add_default_rules(database):
    """The rules of each project's group `default`, which a migration puts in as data (neutron c33da356b165)."""
    table = "securitygroupdefaultrules"
    for direction, group in (("egress", None), ("ingress", "PARENT")):
        for ethertype in ("IPv4", "IPv6"):
            added = database.execute(
                "INSERT INTO standardattributes (resource_type, description, revision_number) VALUES (?, ?, 0)",
                (table, f"Legacy default SG rule for {direction} traffic"),
            )
            database.execute(
                f"INSERT INTO {table} (id, standard_attr_id, direction, ethertype, remote_group_id, used_in_default_sg,"
                " used_in_non_default_sg) VALUES (?, ?, ?, ?, ?, 1, ?)",
                (str(uuid.uuid4()), added.lastrowid, direction, ethertype, group, group is None),
            )


def main():
    first, *others = sys.argv[1:]
    unfinished = first + ".unfinished"
    if os.path.exists(unfinished):
        os.remove(unfinished)
    metadata = head.get_metadata()
    for name in VPN_TABLES:
        if name in metadata.tables:
            enforce_types(metadata.tables[name])
    engine = sa.create_engine(f"sqlite:///{unfinished}")
    metadata.create_all(engine)
    engine.dispose()
    database = sqlite3.connect(unfinished)
    for package, table in (("neutron", "alembic_version"), ("neutron_vpnaas", "alembic_version_vpnaas")):
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        database.executemany(f"INSERT INTO {table} VALUES (?)", [(revision,) for revision in revisions(package)])
    add_default_rules(database)
    database.commit()
    # With a write-ahead log those who read do not wait for the one who writes.
    database.execute("PRAGMA journal_mode=WAL")
    database.close()
    for other in others:
        shutil.copyfile(unfinished, other)
    os.rename(unfinished, first)


main()
