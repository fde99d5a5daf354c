"""Fills the test cloud, from assets/demo-cloud.json as the simulator does; run by the scripts beside it.

usage: seed.py [--only-wait | --reset]

Makes the same networks and routers as the simulated cloud has, the users below, STATE/clouds.yaml and STATE/exports.
"""

import ipaddress
import json
import os
import shlex
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import api

LAYOUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "assets", "demo-cloud.json")
SERVICE_PASSWORD = "service"
# user -> (project, role)...
USERS = {
    "demo": [("demo", "member"), ("other", "member")],
    "demo-reader": [("demo", "reader")],
    # Sign-in needs a one-time passcode besides the password.
    "demo-mfa": [("demo", "member")],
    # For tests that disable the user, or revoke all its tokens: nobody else signs in as this one.
    "demo-revoked": [("demo", "member")],
    "demo-small": [("small", "member")],
    "neutron": [("service", "admin"), ("service", "service")],
}
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
APPLICATION_CREDENTIAL = ("osvpn-test", "osvpn-test-secret")
# One VPN fits into the project small, a second one is refused with 409.
SMALL_QUOTA = {"vpnservice": 1, "ikepolicy": 1, "ipsecpolicy": 1, "endpoint_group": 2, "ipsec_site_connection": 1}
VPN_TABLES = (
    "ipsecpeercidrs ipsec_site_connections vpn_endpoints vpn_endpoint_groups vpnservices ikepolicies ipsecpolicies"
).split()


def fill_keystone():
    """Makes projects, users, roles, the catalogue; returns the projects' ids."""
    token = api.admin()

    def make(kind, collection, **values):
        return api.call("POST", f"{api.AUTH_URL}/{collection}", token, {kind: values})[kind]

    def named(collection, key="name"):
        return {found[key]: found["id"] for found in api.call("GET", f"{api.AUTH_URL}/{collection}", token)[collection]}

    roles = named("roles")
    for role in {"member", "reader", "service"} - set(roles):
        roles[role] = make("role", "roles", name=role)["id"]
    projects = {
        name: make("project", "projects", name=name, domain_id="default")["id"]
        for name in ("demo", "other", "small", "service")
    }
    users = {}
    for name, grants in USERS.items():
        password = SERVICE_PASSWORD if name == "neutron" else api.PASSWORD
        options = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]}
        user = make(
            "user", "users", name=name, domain_id="default", password=password, options=options if "mfa" in name else {}
        )
        users[name] = user["id"]
        for project, role in grants:
            path = f"projects/{projects[project]}/users/{user['id']}/roles/{roles[role]}"
            api.call("PUT", f"{api.AUTH_URL}/{path}", token)
    make("credential", "credentials", user_id=users["demo-mfa"], type="totp", blob=TOTP_SECRET)
    make("service", "services", type="network", name="neutron")
    with open(LAYOUT) as file:
        descriptions = {region["id"]: region["description"] for region in json.load(file)["regions"]}
    # The first region was made with Keystone.
    for region in list(api.REGIONS)[1:]:
        add_region(token, region, descriptions[region])
    first = next(iter(api.REGIONS))
    api.call("PATCH", f"{api.AUTH_URL}/regions/{first}", token, {"region": {"description": descriptions[first]}})
    add_endpoints(token, first, ["network"])

    demo, _ = api.sign_in("demo", api.PASSWORD, "demo")
    name, secret = APPLICATION_CREDENTIAL
    url = f"{api.AUTH_URL}/users/{users['demo']}/application_credentials"
    body = {"application_credential": {"name": name, "secret": secret, "roles": [{"name": "member"}]}}
    credential = api.call("POST", url, demo, body)["application_credential"]["id"]
    write_access(projects, users, credential)
    return projects


def add_region(token, region, description):
    values = {"id": region, "description": description}
    api.call("POST", f"{api.AUTH_URL}/regions", token, {"region": values})
    add_endpoints(token, region, ["identity", "network"])


def add_endpoints(token, region, types):
    services = {s["type"]: s["id"] for s in api.call("GET", f"{api.AUTH_URL}/services", token)["services"]}
    for kind in types:
        url = api.AUTH_URL if kind == "identity" else api.network_url(region)
        for interface in ("public", "internal", "admin"):
            values = {"region_id": region, "service_id": services[kind], "interface": interface, "url": url}
            api.call("POST", f"{api.AUTH_URL}/endpoints", token, {"endpoint": values})


def write_access(projects, users, credential):
    """Writes how to sign in: clouds.yaml (JSON is YAML), and the variables `env` prints."""

    def cloud(auth_type, **auth):
        return {
            "auth_type": auth_type,
            "auth": {"auth_url": api.AUTH_URL, **auth},
            "interface": "public",
            "identity_api_version": 3,
        }

    def password(user, project, word=api.PASSWORD):
        domains = {"user_domain_id": "default", "project_domain_id": "default"}
        return cloud("v3password", username=user, password=word, project_name=project, **domains)

    secret = APPLICATION_CREDENTIAL[1]
    clouds = {
        "demo": password("demo", "demo"),
        "demo-appcred": cloud(
            "v3applicationcredential", application_credential_id=credential, application_credential_secret=secret
        ),
        "demo-reader": password("demo-reader", "demo"),
        "demo-revoked": password("demo-revoked", "demo"),
        "demo-small": password("demo-small", "small"),
        "admin": password("admin", "admin", api.ADMIN_PASSWORD),
    }
    with open(os.path.join(api.STATE, "clouds.yaml"), "w") as file:
        json.dump({"clouds": clouds}, file, indent=2)
    exports = {
        "OS_CLIENT_CONFIG_FILE": os.path.join(api.STATE, "clouds.yaml"),
        "OS_CLOUD": "demo",
        "OSVPN_TEST_RELEASE": api.RELEASE,
        "OSVPN_TEST_AUTH_URL": api.AUTH_URL,
        "OSVPN_TEST_PASSWORD": api.PASSWORD,
        "OSVPN_TEST_ADMIN_PASSWORD": api.ADMIN_PASSWORD,
        "OSVPN_TEST_PROJECT_ID": projects["demo"],
        "OSVPN_TEST_OTHER_PROJECT_ID": projects["other"],
        "OSVPN_TEST_SMALL_PROJECT_ID": projects["small"],
        "OSVPN_TEST_USER_ID": users["demo"],
        "OSVPN_TEST_APPCRED_ID": credential,
        "OSVPN_TEST_APPCRED_SECRET": secret,
        "OSVPN_TEST_TOTP_SECRET": TOTP_SECRET,
    }
    with open(os.path.join(api.STATE, "exports"), "w") as file:
        file.writelines(f"export {key}={shlex.quote(value)}\n" for key, value in exports.items())


def fill_region(layout, projects, token):
    neutron = api.Region(layout["id"], token)
    public = neutron.make(
        "networks",
        **{
            "name": "public-net",
            "project_id": projects["service"],
            "router:external": True,
            "provider:network_type": "flat",
            "provider:physical_network": "public",
        },
    )
    ranges = {ipaddress.ip_network(cidr): add_subnet(neutron, public, None, cidr) for cidr in layout["external"]}
    subnets = {}
    for net in layout["networks"] + small("networks"):
        network = neutron.make("networks", name=net["name"], project_id=projects[net.get("project", "demo")])
        for subnet in net["subnets"]:
            subnets[subnet["name"]] = add_subnet(neutron, network, subnet["name"], subnet["cidr"])["id"]
    for router in layout["routers"] + small("routers"):
        values = {"name": router["name"], "project_id": projects[router.get("project", "demo")]}
        gateway = router.get("gateway")
        if gateway is not None:
            values["external_gateway_info"] = {"network_id": public["id"]}
        if gateway:
            values["external_gateway_info"]["external_fixed_ips"] = [
                {"ip_address": address, "subnet_id": found["id"]}
                for address in gateway
                for cidr, found in ranges.items()
                if ipaddress.ip_address(address) in cidr
            ]
        made = neutron.make("routers", **values)
        for subnet in router["subnets"]:
            neutron.put(f"routers/{made['id']}/add_router_interface", {"subnet_id": subnets[subnet]})
        if "status" in router:
            # The API has no way to say so; without an agent nothing says otherwise.
            with api.database(layout["id"]) as database:
                database.execute("UPDATE routers SET status = ? WHERE id = ?", (router["status"], made["id"]))
    fill_instances(layout, projects["demo"], neutron, subnets)
    if layout.get("vpnaas", True):
        neutron.put(f"quotas/{projects['small']}", {"quota": SMALL_QUOTA})


def fill_instances(layout, project, neutron, subnets):
    """Makes security groups, and a port for each instance, as Nova would; whom nobody runs."""
    # A project has the group default from its first network on.
    groups = {group["name"]: group["id"] for group in neutron.list("security-groups", project_id=project)}
    for group in layout.get("security_groups", []):
        rules = group.pop("rules")
        groups[group["name"]] = neutron.make("security-groups", project_id=project, **group)["id"]
        for rule in rules:
            own = {"security_group_id": groups[group["name"]], "project_id": project}
            neutron.make("security-group-rules", **rule, **own)
    networks = {subnet["id"]: subnet["network_id"] for subnet in neutron.list("subnets")}
    for instance in layout.get("instances", []):
        subnet = subnets[instance["subnet"]]
        secured = instance.get("port_security", True)
        neutron.make(
            "ports",
            name=instance["name"],
            project_id=project,
            network_id=networks[subnet],
            device_id=str(uuid.uuid4()),
            device_owner="compute:nova",
            fixed_ips=[{"subnet_id": subnet, "ip_address": instance["address"]}],
            port_security_enabled=secured,
            security_groups=[groups[name] for name in instance["groups"]] if secured else [],
        )
    with api.database(layout["id"]) as database:
        database.execute("UPDATE ports SET status = 'ACTIVE' WHERE device_owner LIKE 'compute:%'")


def small(kind):
    """What the project with the small quotas has: enough for a VPN."""
    if kind == "networks":
        subnets = [{"name": "small-subnet", "cidr": "10.60.0.0/24"}]
        return [{"name": "small-net", "project": "small", "subnets": subnets}]
    # An empty gateway: any free address.
    return [{"name": "small-router", "project": "small", "gateway": [], "subnets": ["small-subnet"]}]


def add_subnet(neutron, network, name, cidr):
    """Makes a subnet; without a name it is one of the external network, whose free addresses begin at 100."""
    net = ipaddress.ip_network(cidr)
    values = {"network_id": network["id"], "project_id": network["project_id"], "cidr": cidr, "ip_version": net.version}
    if name is None:
        name = "public-subnet" if net.version == 4 else "public-subnet-v6"
        last = net[-2] if net.version == 4 else net[0xFFFF]
        values |= {"enable_dhcp": False, "allocation_pools": [{"start": str(net[100]), "end": str(last)}]}
    return neutron.make("subnets", name=name, **values)


def fill():
    projects = fill_keystone()
    token = api.admin()
    with open(LAYOUT) as file:
        regions = json.load(file)["regions"]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda region: fill_region(region, projects, token), regions))


def reset():
    """Empties the VPN tables, puts back quotas, gateways and security groups.

    What can be in any state goes through the databases.
    """
    move_gateways_back()
    with open(os.path.join(api.STATE, "exports")) as file:
        small = next(line.strip().split("=")[1] for line in file if "SMALL_PROJECT_ID" in line)
    for region in api.REGIONS:
        database = api.database(region)
        database.execute("BEGIN IMMEDIATE")
        database.execute("DELETE FROM providerresourceassociations WHERE resource_id IN (SELECT id FROM vpnservices)")
        gone = {table: database.execute(f"DELETE FROM {table}").rowcount for table in VPN_TABLES}
        gone["securitygrouprules"] = forget_rules(database)
        database.execute("DELETE FROM quotas")
        if database.execute("SELECT 1 FROM networks WHERE name = 'small-net'").fetchone() and region != "nz-wlg-2":
            database.executemany(
                'INSERT INTO quotas (id, project_id, resource, "limit") VALUES (?, ?, ?, ?)',
                [(str(uuid.uuid4()), small, resource, limit) for resource, limit in SMALL_QUOTA.items()],
            )
        database.execute("COMMIT")
        database.close()
        deleted = ", ".join(f"{count} {table}" for table, count in gone.items() if count)
        print(f"{region}: {'deleted ' + deleted if deleted else 'nothing to delete'}")


def forget_rules(database):
    """Deletes the rules nobody seeded: all that admit a certain range."""
    added = "FROM securitygrouprules WHERE remote_ip_prefix <> '0.0.0.0/0'"
    database.execute(f"DELETE FROM standardattributes WHERE id IN (SELECT standard_attr_id {added})")
    return database.execute(f"DELETE {added}").rowcount


def move_gateways_back():
    token, demo = api.admin(), api.sign_in("demo", api.PASSWORD, "demo")[0]
    with open(LAYOUT) as file:
        regions = json.load(file)["regions"]
    for region in regions:
        neutron = api.Region(region["id"], token)
        # Two routers may have one name.
        wanted = [(router["name"], set(router.get("gateway", []))) for router in region["routers"]]
        # A project of other tests may have routers of the same names.
        for router in api.Region(region["id"], demo).list("routers"):
            now = {ip["ip_address"] for ip in (router["external_gateway_info"] or {}).get("external_fixed_ips", [])}
            named = [addresses for name, addresses in wanted if name == router["name"]]
            if len(named) == 1 and named[0] and now != named[0]:
                move_gateway(neutron, router, sorted(named[0]))


def move_gateway(neutron, router, addresses):
    """Gives a router's gateway other addresses, as an operator may; its VPN services are not told."""
    info = router["external_gateway_info"]
    subnets = neutron.list("subnets", network_id=info["network_id"])
    fixed = [
        {"ip_address": address, "subnet_id": subnet["id"]}
        for address in addresses
        for subnet in subnets
        if ipaddress.ip_address(address) in ipaddress.ip_network(subnet["cidr"])
    ]
    body = {"router": {"external_gateway_info": {"network_id": info["network_id"], "external_fixed_ips": fixed}}}
    neutron.put(f"routers/{router['id']}", body)


def main():
    match sys.argv[1:]:
        case ["--reset"]:
            reset()
        case ([] | ["--only-wait"]) as asked:
            api.wait_for("keystone", api.AUTH_URL)
            for region in api.REGIONS:
                api.wait_for(region, api.network_url(region) + "/")
            if not asked:
                fill()
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except api.Refused as refusal:
        raise SystemExit(str(refusal)) from None
