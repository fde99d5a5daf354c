"""Changes what users cannot, so that a VPN breaks as it does in the life of a cloud; run by the scripts beside it.

usage: behind.py drift REGION
       behind.py gateway REGION ROUTER ADDRESS
       behind.py status REGION COLLECTION ID STATUS
"""

import sys

import api
from seed import move_gateway

TABLES = {"vpnservices": "vpnservices", "ipsec-site-connections": "ipsec_site_connections"}


def drift(region):
    """What the migration to 2026.2 does to the policies there are (neutron-vpnaas 842256a43ce2)."""
    with api.database(region) as database:
        for table in ("ikepolicies", "ipsecpolicies"):
            for column, old, new in (("auth_algorithm", "sha1", "sha256"), ("encryption_algorithm", "3des", "aes-256")):
                statement = f"UPDATE {table} SET {column} = ? WHERE {column} = ?"
                if count := database.execute(statement, (new, old)).rowcount:
                    print(f"{region}: {count} of {table} from {old} to {new}")


def gateway(region, name, address):
    neutron = api.Region(region, api.admin())
    [router] = neutron.list("routers", name=name)
    fixed = [ip["ip_address"] for ip in router["external_gateway_info"]["external_fixed_ips"]]
    others = [old for old in fixed if (":" in old) != (":" in address)]
    move_gateway(neutron, router, [address, *others])
    print(f"{region}: {name} moved from {', '.join(set(fixed) - set(others))} to {address}")


def status(region, collection, id_, word):
    with api.database(region) as database:
        statement = f"UPDATE {TABLES[collection]} SET status = ? WHERE id = ?"
        if not database.execute(statement, (word, id_)).rowcount:
            raise SystemExit(f"{region}: there is no {id_} in {collection}")


if __name__ == "__main__":
    try:
        {"drift": drift, "gateway": gateway, "status": status}[sys.argv[1]](*sys.argv[2:])
    except (KeyError, IndexError, TypeError):
        raise SystemExit(__doc__) from None
    except api.Refused as refusal:
        raise SystemExit(str(refusal)) from None
