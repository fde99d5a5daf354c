"""Does what `ping` beside it says."""

import json
import os
import sys

import lab


def ends(routers, asked, every):
    region, _, address = asked.partition(":")
    there = [(router["region"], instance) for router in routers for instance in router["instances"]]
    found = [i for name, i in there if name == region and address in ("", i["address"])]
    if not every and not address:
        found = [i for i in found if "." in i["address"]][:1]
    if not found:
        all_ends = ", ".join(f"{name}:{i['address']}" for name, i in there) or "none"
        sys.exit(f"{asked}: there is no such instance; there are: {all_ends}")
    return found


def main():
    every = "--all" in sys.argv
    asked = [argument for argument in sys.argv[1:] if argument != "--all"]
    if len(asked) != 2:
        sys.exit("usage: ping [--all] REGION[:ADDRESS] REGION[:ADDRESS]")
    try:
        with open(os.path.join(os.environ["OSVPN_TEST_STATE"], "swan", "lab.json")) as file:
            routers = json.load(file)
    except FileNotFoundError:
        sys.exit("no instances: the strongSwan agent does not run, or no VPN service has a connection")
    good = True
    for a in ends(routers, asked[0], every):
        for b in ends(routers, asked[1], every):
            if (":" in a["address"]) == (":" in b["address"]):
                answers, line = lab.ping(a["namespace"], b["address"])
                good &= answers
                print(f"{'ok' if answers else 'FAIL':4} {a['address']} -> {b['address']}: {line}")
    sys.exit(not good)


main()
