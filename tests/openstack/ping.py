"""Does what `ping` beside it says."""

import json
import os
import re
import signal
import subprocess
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


def watch(a, b):
    """Pings every 0.2 s until standard input ends; prints the longest time without an answer, in seconds."""
    command = ["ip", "netns", "exec", a["namespace"], "ping", "-D", "-n", "-i", "0.2", b["address"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pinging:
        sys.stdin.read()
        pinging.send_signal(signal.SIGINT)
        said = pinging.stdout.read()
    times = [float(at) for at in re.findall(r"^\[(\d+\.\d+)\] \d+ bytes", said, re.MULTILINE)]
    print(max((late - early for early, late in zip(times, times[1:])), default=-1))


def main():
    every = "--all" in sys.argv
    asked = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    if len(asked) != 2:
        sys.exit("usage: ping [--all | --watch] REGION[:ADDRESS] REGION[:ADDRESS]")
    try:
        with open(os.path.join(os.environ["OSVPN_TEST_STATE"], "swan", "lab.json")) as file:
            routers = json.load(file)
    except FileNotFoundError:
        sys.exit("no instances: the strongSwan agent does not run, or no VPN service has a connection")
    if "--watch" in sys.argv:
        return watch(ends(routers, asked[0], every)[0], ends(routers, asked[1], every)[0])
    good = True
    for a in ends(routers, asked[0], every):
        for b in ends(routers, asked[1], every):
            if (":" in a["address"]) == (":" in b["address"]):
                answers, line = lab.ping(a["namespace"], b["address"])
                good &= answers
                print(f"{'ok' if answers else 'FAIL':4} {a['address']} -> {b['address']}: {line}")
    sys.exit(not good)


main()
