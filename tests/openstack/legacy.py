"""Does what `seed-legacy` beside it says, with the legacy VPN of assets/demo-cloud.json.

usage: legacy.py REGION
"""

import json
import sys

import api
from seed import LAYOUT


def legacy(region):
    with open(LAYOUT) as file:
        layout = json.load(file)
    vpn = next(vpn for vpn in layout["vpns"] if vpn.get("legacy"))
    halves = {half["region"]: half for half in vpn["halves"]}
    if region not in halves:
        raise SystemExit(f"{region} is none of the legacy VPN's regions: {', '.join(halves)}")
    here, there = halves[region], next(half for name, half in halves.items() if name != region)
    far = next(found for found in layout["regions"] if found["id"] == there["region"])
    peer = next(router for router in far["routers"] if router["name"] == there["router"])["gateway"][0]
    cidr = next(s["cidr"] for net in far["networks"] for s in net["subnets"] if s["name"] == there["subnet"])

    neutron = api.Region(region, api.sign_in("demo", api.PASSWORD, "demo")[0])
    router = neutron.list("routers", name=here["router"])[0]["id"]
    if neutron.list("vpn/vpnservices", router_id=router):
        raise SystemExit(f"{here['router']} of {region} already has a VPN service; `reset` removes it")
    subnet = neutron.list("subnets", name=here["subnet"])[0]["id"]
    # An upgrade to 2026.2 rewrites sha1 in the policies that exist.
    policy = {
        "auth_algorithm": "sha1" if api.RELEASE == "2026.1" else "sha256",
        "encryption_algorithm": "aes-256",
        "pfs": "group14",
    }

    def lifetime(seconds):
        return {"units": "seconds", "value": seconds}

    service = neutron.make("vpn/vpnservices", name="vpn_service", router_id=router, subnet_id=subnet)
    ike = neutron.make("vpn/ikepolicies", name="ike_policy", ike_version="v1", lifetime=lifetime(14400), **policy)
    ipsec = neutron.make("vpn/ipsecpolicies", name="ipsec_policy", lifetime=lifetime(3600), **policy)
    neutron.make(
        "vpn/ipsec-site-connections",
        name="vpn_site_connection",
        vpnservice_id=service["id"],
        ikepolicy_id=ike["id"],
        ipsecpolicy_id=ipsec["id"],
        peer_address=peer,
        peer_id=peer,
        peer_cidrs=[cidr],
        psk=vpn["psk"],
        dpd={"action": "restart", "interval": 15, "timeout": 150},
    )
    print(f"{region}: vpn_service {service['id']} on {here['router']}, its connection expects {cidr} at {peer}")


try:
    legacy(sys.argv[1])
except api.Refused as refusal:
    raise SystemExit(str(refusal)) from None
