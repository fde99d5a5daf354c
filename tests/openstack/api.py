"""The test cloud as the Python files beside this one see it: its settings, its REST APIs, its databases."""

import os
import sqlite3
import time

import requests

RELEASE = os.environ["OSVPN_TEST_RELEASE"]
STATE = os.environ["OSVPN_TEST_STATE"]
AUTH_URL = os.environ["OSVPN_TEST_AUTH_URL"]
REGIONS = dict(spec.split(":") for spec in os.environ["OSVPN_TEST_REGIONS"].split())
PASSWORD = "demo"
ADMIN_PASSWORD = "admin"


class Refused(Exception):
    """An answer that was not the one hoped for."""


def network_url(region):
    return f"http://127.0.0.1:{REGIONS[region]}"


def call(method, url, token, body=None):
    answer = requests.request(method, url, json=body, timeout=120, headers={"X-Auth-Token": token})
    if not answer.ok:
        raise Refused(f"{method} {url}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None


def sign_in(user, password, project):
    domain = {"id": "default"}
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain}},
        }
    }
    answer = requests.post(f"{AUTH_URL}/auth/tokens", json=body, timeout=60)
    if answer.status_code != 201:
        raise Refused(f"sign-in of {user}: {answer.status_code} {answer.text}")
    return answer.headers["X-Subject-Token"], answer.json()["token"]


def admin():
    return sign_in("admin", ADMIN_PASSWORD, "admin")[0]


class Region:
    """Neutron of one region, asked with one token."""

    def __init__(self, name, token):
        self.base, self.token = f"{network_url(name)}/v2.0", token

    def make(self, kind, **values):
        name = kind.split("/")[-1].replace("-", "_").removesuffix("s")
        if name.endswith("ie"):  # ikepolicies
            name = name.removesuffix("ie") + "y"
        return call("POST", f"{self.base}/{kind}", self.token, {name: values})[name]

    def put(self, path, body):
        return call("PUT", f"{self.base}/{path}", self.token, body)

    def list(self, kind, **filters):
        query = "&".join(f"{key}={value}" for key, value in filters.items())
        answer = call("GET", f"{self.base}/{kind}?{query}", self.token)
        return next(value for key, value in answer.items() if not key.endswith("_links"))


def database(region):
    path = os.path.join(STATE, "db", f"{region}.db")
    connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=30, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def wait_for(name, url):
    """Waits until a server answers; gives up as soon as its process has ended."""
    with open(os.path.join(STATE, "run", f"{name}.pid")) as file:
        pid = int(file.read())
    deadline = time.monotonic() + 120
    while True:
        try:
            if requests.get(url, timeout=10).status_code in (200, 300):
                return
        except requests.RequestException:
            pass
        try:
            with open(f"/proc/{pid}/stat") as file:
                ended = file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            ended = True
        if ended or time.monotonic() > deadline:
            log = os.path.join(STATE, "log", f"{name}.out")
            with open(log, errors="replace") as file:
                end = "".join(file.readlines()[-20:])
            why = "has ended" if ended else f"does not answer at {url}"
            raise SystemExit(f"{name} {why}; the end of {log}:\n{end}")
        time.sleep(0.1)
