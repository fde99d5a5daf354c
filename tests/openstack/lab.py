"""Network namespaces for real tunnels: an internet, routers in it, instances behind them, charons inside.

usage: lab.py why-not     says what this machine lacks and fails, or is silent
       lab.py clean       removes what a killed agent left

Used by agent_strongswan.py, ping and peer. One bridge plays the internet and holds the gateway address of each external
subnet. All interfaces live inside the namespaces, and the names of those begin with osvpn-RELEASE-: nothing outside is
touched. Only the standard library, so that it runs before OpenStack is installed.
"""

import ipaddress
import os
import shutil
import signal
import subprocess
import sys
import time

IPSEC = "/usr/lib/ipsec"
# A second set of clouds has names of its own, which do not begin with those of the first: osvpn1000-2026.2-
PREFIX = f"osvpn{os.environ.get('OSVPN_TEST_PORTS', '0').lstrip('0')}-{os.environ.get('OSVPN_TEST_RELEASE', '2026.2')}-"
INTERNET = PREFIX + "internet"
PACKAGES = (
    "iproute2 iputils-ping nftables strongswan-starter strongswan-charon strongswan-swanctl libcharon-extra-plugins"
    " libstrongswan-standard-plugins libstrongswan-extra-plugins"
)
# Tunnels need no ESP in the kernel: charon encrypts on a TUN device. What is switched off would look for a DHCP server,
# an LDAP server, iptables ... or only slow the start down.
LOAD = {"kernel-libipsec": "yes"} | dict.fromkeys(
    "agent bypass-lan connmark dhcp farp forecast ha ldap led pkcs11 resolve test-vectors tpm".split(), "no"
)


def run(*command, stdin="", check=True, timeout=60):
    done = subprocess.run(
        command, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stdout.strip()}")
    return done


def ip(namespace, *lines):
    run("ip", "-n", namespace, "-batch", "-", stdin="\n".join(lines) + "\n")


def try_ip(namespace, line):
    run("ip", "-n", namespace, *line.split(), check=False)


def why_not():
    """What keeps this machine from running real tunnels; none if nothing does."""
    if os.getuid():
        return "network namespaces need root"
    tools = [tool for tool in ("ip", "ipsec", "ping", "swanctl") if not shutil.which(tool)]
    files = [f"{IPSEC}/{name}" for name in ("charon", "stroke", "plugins/libstrongswan-kernel-libipsec.so")]
    if missing := tools + [path for path in files if not os.path.exists(path)]:
        return f"there is no {', '.join(missing)} (Debian: apt-get install --no-install-recommends {PACKAGES})"
    if not os.path.exists("/dev/net/tun"):
        return "there is no /dev/net/tun"
    probe = PREFIX + "probe"
    if run("ip", "netns", "add", probe, check=False).returncode:
        return "the kernel or the container allows no network namespaces"
    script = "ip link add probe0 type veth peer name probe1 && mount --bind /run /run"
    inner = run("ip", "netns", "exec", probe, "sh", "-c", script, check=False)
    run("ip", "netns", "del", probe, check=False)
    return f"no veth devices or no mounts in a namespace: {inner.stdout.strip()}" if inner.returncode else None


def exists(namespace):
    return os.path.exists(f"/run/netns/{namespace}")


def namespaces():
    found = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    return sorted(name for name in found if name.startswith(PREFIX))


def add(namespace):
    run("ip", "netns", "add", namespace)
    settings = (
        "ipv4/ip_forward=1 ipv6/conf/all/forwarding=1"
        " ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0"
        " ipv6/conf/default/accept_dad=0 ipv6/conf/default/accept_ra=0"
    ).split()
    script = "; ".join(f"echo {value} > /proc/sys/net/{key}" for key, value in (item.split("=") for item in settings))
    run("ip", "netns", "exec", namespace, "sh", "-c", f"{script}; ip link set lo up", check=False)


def remove(*names):
    """Ends the processes in the namespaces, then the namespaces."""
    names = [name for name in names if name.startswith(PREFIX) and exists(name)]

    def processes():
        return [int(pid) for name in names for pid in run("ip", "netns", "pids", name, check=False).stdout.split()]

    for number, seconds in ((signal.SIGTERM, 3), (signal.SIGKILL, 2)):
        for pid in processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + seconds
        while processes() and time.monotonic() < deadline:
            time.sleep(0.05)
    for name in names:
        run("ip", "netns", "del", name, check=False)


def ensure_internet():
    if not exists(INTERNET):
        add(INTERNET)
        ip(INTERNET, "link add br0 type bridge mcast_snooping 0", "link set br0 up")


def nodad(address):
    return " nodad" if ":" in address else ""


def plug_in(namespace, port, addresses):
    """Gives the namespace an interface `ext` in the internet; each address is (address, subnet, its gateway)."""
    ensure_internet()
    try_ip(INTERNET, f"link del {port}")
    ip(INTERNET, f"link add {port} type veth peer name ext netns {namespace}", f"link set {port} master br0 up")
    ip(namespace, "link set ext up")
    for address, subnet, gateway in addresses:
        size = subnet.split("/")[1]
        ip(INTERNET, f"addr replace {gateway}/{size} dev br0{nodad(gateway)}")
        ip(namespace, f"addr add {address}/{size} dev ext{nodad(address)}")
        ip(namespace, f"route replace default via {gateway} dev ext")


def add_subnet(router, link, gateway, cidr, instance):
    """A subnet behind a router, with one instance in it; returns the instance's address."""
    net = ipaddress.ip_network(cidr)
    own = str(net[10]) if str(net[10]) != gateway else str(net[11])
    remove(instance)
    try_ip(router, f"link del {link}")
    add(instance)
    ip(
        router,
        f"link add {link} type veth peer name eth0 netns {instance}",
        f"addr add {gateway}/{net.prefixlen} dev {link}{nodad(gateway)}",
        f"link set {link} up",
    )
    ip(
        instance,
        f"addr add {own}/{net.prefixlen} dev eth0{nodad(own)}",
        "link set eth0 up",
        f"route add default via {gateway} dev eth0",
    )
    return own


def adapt_plugins(etc, log):
    """Changes the copy of /etc/strongswan.d in `etc`: ESP without the kernel, and a log file."""
    folder = os.path.join(etc, "strongswan.d")
    for plugin, load in LOAD.items():
        path = os.path.join(folder, "charon", f"{plugin}.conf")
        if os.path.exists(path):
            with open(path, "w") as file:
                file.write(f"{plugin} {{\n  load = {load}\n}}\n")
    with open(os.path.join(folder, "zz-osvpn.conf"), "w") as file:
        file.write(
            f"charon {{\n  filelog {{\n    osvpn {{\n      path = {log}\n      time_format = %H:%M:%S\n"
            "      default = 1\n      flush_line = yes\n    }\n  }\n}\n"
        )


def command_inside(namespace, root, command):
    """The command that runs `command` in the namespace, with root/etc for /etc and root/var/run for /run.

    strongSwan's paths are fixed at its build: this is how one machine runs several, as VPNaaS' own wrapper does.
    """
    script = 'mount --bind "$0/etc" /etc && mount --bind "$0/var/run" /run && exec "$@"'
    return ["ip", "netns", "exec", namespace, "sh", "-c", script, root, *command]


def ping(namespace, address, source=None):
    """Whether the address answers, and the line that says so."""
    command = ["ip", "netns", "exec", namespace, "ping", "-n", "-c", "2", "-i", "0.2", "-W", "1"]
    done = run(*command, *(["-I", source] if source else []), address, check=False)
    lines = done.stdout.strip().split("\n")
    return done.returncode == 0, next((line for line in lines if "transmitted" in line), lines[-1])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["why-not"]:
            if reason := why_not():
                print(reason)
                sys.exit(1)
        case ["clean"]:
            remove(*namespaces())
        case _:
            sys.exit(__doc__)
