"""Does what `peer` beside it says."""

import argparse
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import lab

NAME = lab.PREFIX + "peer"
INSTANCE = NAME + "-i"
NAT = NAME + "-nat"
# Between the peer and what translates its address.
INSIDE, TRANSLATOR = "172.31.255.2", "172.31.255.1"


def parse():
    parser = argparse.ArgumentParser(prog="peer", description="Runs an exported peer configuration on strongSwan.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="swanctl.conf, or with --legacy two files")
    parser.add_argument("--hold", action="store_true", help="keep the tunnels until standard input ends")
    parser.add_argument("--legacy", action="store_true", help="the files are ipsec.conf and ipsec.secrets")
    parser.add_argument("--behind-nat", action="store_true", help="the peer has another address, which is translated (nft)")
    parser.add_argument("--address", default="198.51.100.7", help="the peer's address (default: 198.51.100.7)")
    parser.add_argument("--subnet", default="192.168.7.0/24", help="the network behind it (default: 192.168.7.0/24)")
    options = parser.parse_args()
    if len(options.files) != (2 if options.legacy else 1):
        parser.error("one swanctl.conf, or --legacy with ipsec.conf and ipsec.secrets")
    return options


def wait_for(what, seconds):
    deadline = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


class Peer:
    def __init__(self, options, root):
        self.options, self.root, self.log = options, root, os.path.join(root, "charon.log")

    def inside(self, *command):
        return lab.run(*lab.command_inside(NAME, self.root, list(command)), check=False)

    def prepare(self):
        """The namespaces, and the folders strongSwan expects below /etc."""
        net = ipaddress.ip_network(f"{self.options.address}/24", strict=False)
        lab.add(NAME)
        if self.options.behind_nat:
            self.translate(net)
        else:
            lab.plug_in(NAME, "vpeer", [(self.options.address, str(net), str(net[1]))])
        behind = ipaddress.ip_network(self.options.subnet)
        self.source = lab.add_subnet(NAME, "lan", str(behind[1]), str(behind), INSTANCE)
        etc = os.path.join(self.root, "etc")
        os.makedirs(os.path.join(self.root, "var/run"))
        shutil.copytree("/etc/strongswan.d", os.path.join(etc, "strongswan.d"))
        shutil.copy("/etc/strongswan.conf", etc)
        lab.adapt_plugins(etc, self.log)
        names = ("ipsec.conf", "ipsec.secrets") if self.options.legacy else ("swanctl/swanctl.conf",)
        for folder in ("ipsec.d/cacerts", "ipsec.d/private", "swanctl/conf.d", "swanctl/x509", "swanctl/private"):
            os.makedirs(os.path.join(etc, folder))
        for given, name in zip(self.options.files, names, strict=True):
            shutil.copy(given, os.path.join(etc, name))

    def translate(self, net):
        """Puts the peer behind a router that has its address, and lets nothing in that was not asked for."""
        lab.add(NAT)
        lab.plug_in(NAT, "vpeer", [(self.options.address, str(net), str(net[1]))])
        lab.ip(NAT, f"link add inner type veth peer name ext netns {NAME}", f"addr add {TRANSLATOR}/30 dev inner")
        lab.ip(NAT, "link set inner up")
        lab.ip(NAME, f"addr add {INSIDE}/30 dev ext", "link set ext up", f"route replace default via {TRANSLATOR} dev ext")
        rules = """table ip translation {
  chain out { type nat hook postrouting priority 100; oifname "ext" masquerade; }
  chain through { type filter hook forward priority 0; iifname "ext" ct state new drop; }
}
"""
        lab.run("ip", "netns", "exec", NAT, "nft", "-f", "-", stdin=rules)

    def is_translated(self):
        """Whether the other side was told by IKE that this address is translated: both moved to UDP 4500."""
        listed = self.inside("swanctl", "--list-sas").stdout
        return f"@ {INSIDE}[4500]" in listed

    def start(self):
        if self.options.legacy:
            self.inside("ipsec", "start")
            return bool(wait_for(self.children, 10))
        # It stays in the foreground.
        command = lab.command_inside(NAME, self.root, [f"{lab.IPSEC}/charon"])
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen(command, start_new_session=True, **quiet)
        wait_for(lambda: os.path.exists(os.path.join(self.root, "var/run/charon.vici")), 10)
        loaded = self.inside("swanctl", "--load-all")
        if loaded.returncode:
            print(loaded.stdout)
        return loaded.returncode == 0

    def children(self):
        """The networks expected behind the other side, by the name of the child."""
        if self.options.legacy:
            listed = self.inside("ipsec", "statusall").stdout
            found = re.findall(r"^\s*(\S+):\s+child:\s.* === (.*?) [A-Z]+(?:,|$)", listed, re.M)
        else:
            listed = self.inside("swanctl", "--list-conns").stdout
            found = re.findall(r"^  (\S+): TUNNEL.*\n\s+local: .*\n\s+remote:\s+(.*)$", listed, re.M)
        return {name: [cidr for cidr in re.split("[ ,]+", remote) if "/" in cidr] for name, remote in found}

    def up(self, child):
        if self.options.legacy:
            self.inside("ipsec", "up", child)
            command, pattern = ("ipsec", "status"), rf"^\s*{re.escape(child)}\{{\d+\}}:\s+INSTALLED"
        else:
            self.inside("swanctl", "--initiate", "--timeout", "15", "--child", child)
            command, pattern = ("swanctl", "--list-sas"), rf"^\s+{re.escape(child)}: #\d+, .*\bINSTALLED\b"
        return bool(wait_for(lambda: re.search(pattern, self.inside(*command).stdout, re.M), 5))

    def reaches(self, cidrs):
        """Pings every instance in the networks; whether there is one and all answer."""
        # The agent may be about to write down the ones it has just made.
        targets = wait_for(lambda: instances(cidrs), 15)
        if not targets:
            return report(False, "no instance there to ping", ", ".join(cidrs))
        return all([report(*lab.ping(INSTANCE, address, self.source), address) for address in targets])


def instances(cidrs):
    """The addresses of the instances behind the cloud's routers that are in these networks."""
    try:
        with open(os.path.join(os.environ["OSVPN_TEST_STATE"], "swan", "lab.json")) as file:
            there = {i["address"] for router in json.load(file) for i in router["instances"]}
    except FileNotFoundError:
        return []
    nets = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    return [address for address in sorted(there) if any(ipaddress.ip_address(address) in net for net in nets)]


def report(good, line, about):
    print(f"{'ok' if good else 'FAIL':4} {about}: {line}")
    return good


def main():
    options = parse()
    if reason := lab.why_not():
        print(f"skipped: {reason}", file=sys.stderr)
        return 77
    if not lab.exists(lab.INTERNET):
        sys.exit("failed: start the strongSwan agent first: OSVPN_TEST_AGENT=strongswan up")
    if options.behind_nat and not shutil.which("nft"):
        print("skipped: there is no nft (Debian: apt-get install nftables)", file=sys.stderr)
        return 77
    lab.remove(NAME, INSTANCE, NAT)
    with tempfile.TemporaryDirectory(prefix="osvpn-peer-") as root:
        peer = Peer(options, root)
        try:
            peer.prepare()
            good = peer.start()
            children = peer.children()
            good &= report(bool(children), ", ".join(children) or "none", "children in the configuration")
            for child, cidrs in children.items():
                installed = peer.up(child)
                good &= report(installed, "INSTALLED" if installed else "not INSTALLED", f"child {child}")
                good &= peer.reaches(cidrs)
            if options.behind_nat:
                good &= report(peer.is_translated(), f"{INSIDE}, port 4500", "address translation")
            if not good and os.path.exists(peer.log):
                with open(peer.log) as file:
                    print("--- the end of charon's log\n" + "".join(file.readlines()[-25:]), end="")
            elif options.hold:
                print("holding", flush=True)
                sys.stdin.read()
        finally:
            lab.remove(NAME, INSTANCE, NAT)
    return 0 if good else 1


sys.exit(main())
