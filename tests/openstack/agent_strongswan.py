"""Plays the VPN agents of all regions with real strongSwan: a connection is ACTIVE once its tunnel is negotiated.

usage: agent_strongswan.py STATE [--report SECONDS] [--traffic SECONDS]     started by `up`; lab.py says what it needs

This is VPNaaS' own driver for strongSwan: it renders the configuration, starts and reloads charon and reads its status.
Around it, the regions' databases stand in for the message bus, and the namespaces of lab.py for those of the L3 agent.
Each subnet of a router has one instance, to `ping` from. Logs: STATE/log/charon-REGION-ROUTER.log.
"""

import argparse
import glob
import json
import os
import re
import signal
import subprocess
import sys
import time
import types

import lab

import sqlalchemy as sa
from neutron.db.models import l3
from neutron.db.models_v2 import Subnet
from neutron_lib.plugins.utils import in_pending_status
from neutron_vpnaas.db.vpn import vpn_models as models
from neutron_vpnaas.services.vpn.device_drivers import strongswan_ipsec as strongswan
from neutron_vpnaas.services.vpn.service_drivers.base_ipsec import BaseIPsecVPNDriver
from oslo_config import cfg
from sqlalchemy import orm

GATEWAY = "network:router_gateway"
PORTS = sa.text(
    "SELECT p.device_owner, a.ip_address, s.cidr, s.gateway_ip FROM ports p JOIN ipallocations a ON a.port_id = p.id"
    " JOIN subnets s ON s.id = a.subnet_id WHERE p.device_id = :router"
)


def say(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


class Bus:
    """What the server tells agents, and they tell it, by way of one region's database."""

    def __init__(self, region, path):
        self.region, self.path = region, path
        options = {"poolclass": sa.pool.NullPool, "connect_args": {"timeout": 30}}
        self.engine = sa.create_engine(f"sqlite:///{path}", **options)
        address = BaseIPsecVPNDriver.get_external_ip_based_on_peer
        self.server = types.SimpleNamespace(get_external_ip_based_on_peer=lambda *about: address(None, *about))

    def version(self):
        """Differs whenever something was written."""
        stats = [os.stat(path) for path in (self.path, self.path + "-wal") if os.path.exists(path)]
        return [(stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats]

    def get_vpn_services_on_host(self, _context, _host):
        with orm.Session(self.engine) as session:
            # All of it as of one moment: a policy may be deleted right after the connection that uses it.
            session.execute(sa.text("BEGIN"))
            cidrs = dict(session.query(Subnet.id, Subnet.cidr).all())
            services = session.query(models.VPNService).join(models.IPsecSiteConnection).all()
            # The L3 agent takes the namespace of a router that is switched off away, with whatever runs in it.
            off = {id_ for (id_,) in session.query(l3.Router.id).filter(l3.Router.admin_state_up.is_(False))}
            services = [service for service in services if service.router_id not in off]
            return [BaseIPsecVPNDriver.make_vpnservice_dict(self.server, service, cidrs) for service in services]

    def update_status(self, _context, services):
        with self.engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            for service in services:
                self.update(connection, models.VPNService, service["id"], service)
                for id_, about in service["ipsec_site_connections"].items():
                    self.update(connection, models.IPsecSiteConnection, id_, about)

    def update(self, connection, model, id_, about):
        table = model.__table__
        old = connection.execute(sa.select(table.c.status).where(table.c.id == id_)).scalar()
        if old in (None, about["status"]) or (in_pending_status(old) and not about["updated_pending_status"]):
            return
        connection.execute(table.update().where(table.c.id == id_).values(status=about["status"]))
        say(f"{self.region} {table.name} {id_}: {old} -> {about['status']}")

    def ports(self, router):
        """(owner, address, subnet, its gateway) of each address of a router."""
        with self.engine.connect() as connection:
            return {tuple(row) for row in connection.execute(PORTS, {"router": router})}


class Router:
    """A router's namespace, and those of the instances behind it."""

    # What the driver asks of the L3 agent's routers.
    router = {"ha": False, "distributed": False}

    def __init__(self, region, router_id):
        self.region, self.router_id = region, router_id
        self.ns_name = f"{lab.PREFIX}r-{region}-{router_id[:8]}"
        self.outside, self.inside, self.count = set(), {}, 0
        lab.add(self.ns_name)

    def update(self, ports):
        """Follows the router's addresses; returns whether there was something to follow."""
        outside = {port for port in ports if port[0] == GATEWAY}
        inside = ports - outside
        changed = outside != self.outside or inside != set(self.inside)
        if outside != self.outside:
            lab.try_ip(self.ns_name, "link del ext")
            lab.plug_in(self.ns_name, "v" + self.router_id[:8], [port[1:] for port in sorted(outside)])
            self.outside = outside
        for port in set(self.inside) - inside:
            link, instance, _ = self.inside.pop(port)
            lab.try_ip(self.ns_name, f"link del {link}")
            lab.remove(instance)
        for port in sorted(inside - set(self.inside)):
            link, self.count = f"lan{self.count}", self.count + 1
            instance = self.ns_name.replace("-r-", "-i-", 1) + f"-{link}"
            address = lab.add_subnet(self.ns_name, link, port[1], port[2], instance)
            self.inside[port] = (link, instance, address)
        return changed

    def described(self):
        instances = [{"namespace": name, "address": address} for _, name, address in self.inside.values()]
        return {"region": self.region, "router": self.router_id, "instances": instances}

    def remove(self):
        lab.remove(self.ns_name, *[instance for _, instance, _ in self.inside.values()])


class Process(strongswan.StrongSwanProcess):
    def __init__(self, log, *about):
        self.log, self.asked, self.down_since = log, (0.0, ""), {}
        super().__init__(*about)

    def _get_strongswan_piddir(self):
        return "/var/run"

    def ensure_configs(self):
        super().ensure_configs()
        lab.adapt_plugins(self.etc_dir, self.log)

    def _execute(self, cmd, check_exit_code=True, extra_ok_codes=None):
        done = subprocess.run(
            lab.command_inside(self.namespace, self.config_dir, cmd),
            text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        # The driver reads this text as Neutron's own execute words it.
        text = f"Command: {cmd} Exit code: {done.returncode} Stdout: {done.stdout} Stderr: {done.stderr}"
        if cmd[-1] != "status":
            self.asked = (0.0, "")
        if check_exit_code and done.returncode not in [0, *(extra_ok_codes or [])]:
            raise RuntimeError(text)
        # `start` and `reload` return before charon knows its connections. The agent's slow wrapper hides it; here the
        # `up-nb` that follows would come too early.
        if cmd[-1] in ("start", "reload"):
            self.wait_for_connections()
        return text

    def wait_for_connections(self):
        ids = [c["id"] for c in self.vpnservice["ipsec_site_connections"] if c["admin_state_up"]]
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            status = self._execute([self.binary, "status"], check_exit_code=False)
            if all(id_ in status for id_ in ids):
                return
            time.sleep(0.05)
        say(f"{self.namespace}: charon does not list all of {ids}")

    def get_status(self):
        # The driver asks several times in a row.
        if time.monotonic() - self.asked[0] > 0.5:
            status = super().get_status()
            self.asked = (time.monotonic(), status)
        return self.asked[1]

    def talk(self, patience):
        """Negotiates again where there is no tunnel, as a packet between instances would make a kernel do."""
        now = time.monotonic()
        for id_, about in self.connection_status.items():
            if about["status"] == "ACTIVE":
                self.down_since.pop(id_, None)
            elif now - self.down_since.setdefault(id_, now) >= patience:
                self.down_since[id_] = now
                if not re.search(rf"{re.escape(id_)}\[\d+\]: CONNECTING", self.get_status()):
                    self._execute([self.binary, "stroke", "up-nb", id_], check_exit_code=False)


class Driver(strongswan.StrongSwanDriver):
    def __init__(self, state, region, path):  # pylint: disable=super-init-not-called
        # The original begins with a connection to the message bus.
        self.state, self.host = state, region
        base = os.path.join(state, "swan", region)
        self.conf = types.SimpleNamespace(state_path=base, ipsec=types.SimpleNamespace(config_base_dir=base))
        self.context = types.SimpleNamespace(is_admin=True, project_id=None)
        self.agent_rpc = Bus(region, path)
        self.processes, self.routers, self.process_status_cache = {}, {}, {}
        self.known, self.version, self.written = {}, None, 0.0

    def ensure_nat_rules(self, vpnservice):
        """Nothing: these routers translate no addresses."""

    def remove_nat_rules(self, router_id):
        """Nothing either."""

    def create_process(self, process_id, vpnservice, namespace):
        log = os.path.join(self.state, "log", f"charon-{self.host}-{process_id[:8]}.log")
        return Process(log, self.conf, process_id, vpnservice, namespace)

    def follow(self):
        """Does what a message of the server would make an agent do; returns whether instances came or went."""
        version = self.agent_rpc.version()
        if version != self.version:
            self.written = time.monotonic()
        # What is written can be read a little later, once the disk has it: a write that was seen is looked at for a while.
        elif time.monotonic() - self.written > 5:
            return False
        now = {}
        for service in self.agent_rpc.get_vpn_services_on_host(self.context, self.host):
            now.setdefault(service["router_id"], []).append(fingerprint(service))
        moved = False
        for router in now:
            if router not in self.routers:
                self.routers[router] = Router(self.host, router)
            moved |= self.routers[router].update(self.agent_rpc.ports(router))
        routers = now.keys() | self.known.keys()
        if changed := [router for router in routers if now.get(router) != self.known.get(router)]:
            self.sync(self.context, [{"id": router} for router in changed])
        for router in self.routers.keys() - now.keys():
            self.process_status_cache.pop(router, None)
            self.routers.pop(router).remove()
            moved = True
        self.known, self.version = now, version
        return moved

    def report(self, patience):
        self.report_status(self.context)
        for process in self.processes.values():
            if patience and process.connection_status:
                process.talk(patience)


def fingerprint(service):
    """What the user can change of a service and its connections, as text; the agent's own reports are not in it."""
    connections = [{k: v for k, v in c.items() if k != "status"} for c in service["ipsec_site_connections"]]
    own = {k: v for k, v in service.items() if k not in ("status", "ipsec_site_connections")}
    connections.sort(key=lambda connection: connection["id"])
    return json.dumps([own, connections], sort_keys=True, default=lambda _: None)


def watch(options):
    drivers, reported, told = {}, 0.0, {}
    while True:
        paths = glob.glob(os.path.join(options.state, "db", "*.db"))
        found = {os.path.basename(path).removesuffix(".db"): path for path in paths}
        found.pop("keystone", None)
        for region in found.keys() - drivers.keys():
            drivers[region] = Driver(options.state, region, found[region])
        for region in drivers.keys() - found.keys():
            for router in drivers.pop(region).routers.values():
                router.remove()
        due = time.monotonic() - reported >= options.report
        moved = False
        for region, driver in drivers.items():
            try:
                moved |= driver.follow()
                if due:
                    driver.report(options.traffic)
                told.pop(region, None)
            except (sa.exc.SQLAlchemyError, OSError, RuntimeError) as error:
                # A database just being made or removed, a router half deleted: the next turn sees it whole.
                if told.get(region) != str(error):
                    told[region] = str(error)
                    say(f"{region}: {error}")
        if due:
            reported = time.monotonic()
        if moved:
            routers = [router.described() for driver in drivers.values() for router in driver.routers.values()]
            path = os.path.join(options.state, "swan", "lab.json")
            with open(path + ".new", "w") as file:
                json.dump(routers, file, indent=1)
            os.rename(path + ".new", path)
        time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("state")
    parser.add_argument("--report", type=float, default=2, help="seconds between two reports (default: 2; agents: 60)")
    parser.add_argument(
        "--traffic", type=float, default=5, help="seconds after which instances talk and wake a tunnel (0: they do not)"
    )
    options = parser.parse_args()
    cfg.CONF.set_override("root_helper", "", "AGENT")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    lab.remove(*lab.namespaces())
    os.makedirs(os.path.join(options.state, "swan"), exist_ok=True)
    try:
        lab.ensure_internet()
        print("ready", flush=True)
        watch(options)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        lab.remove(*lab.namespaces())
        lab.run("rm", "-rf", os.path.join(options.state, "swan"), check=False)
        sys.stdout.flush()
        if sys.exc_info()[0] is SystemExit:
            os._exit(0)  # Neutron's libraries take seconds to leave


main()
