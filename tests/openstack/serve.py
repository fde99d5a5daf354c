"""Serves Keystone or Neutron on 127.0.0.1; started by `up`, which waits until they answer.

usage: serve.py STATE NAME:PORT...     NAME is keystone, or a region with STATE/etc/NAME.conf

Importing Neutron takes longer than all the rest of a start. So one process imports it and forks into the regions, each
with its own pid file (STATE/run) and output (STATE/log). Keystone shares no process with Neutron: both would register
their options on one global configuration.
"""

import gc
import importlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import traceback

THREADS = 8
NEUTRON = (
    "keystonemiddleware.auth_token",
    "neutron.pecan_wsgi.app",
    "neutron.plugins.ml2.plugin",
    "neutron.server.api",
    "neutron.services.l3_router.l3_router_plugin",
    "neutron_vpnaas.services.vpn.plugin",
    "neutron_vpnaas.services.vpn.service_drivers.ipsec",
)
request = threading.local()


def adapt_sqlite():
    import sqlalchemy.event
    import sqlalchemy.pool
    from sqlalchemy.engine import Engine

    # oslo.db asks for no pool on SQLite: each transaction would open the file and parse the whole schema again.
    sqlalchemy.pool.NullPool = sqlalchemy.pool.QueuePool

    # A transaction that reads first and writes later is refused at once ("database is locked") when another has
    # written in between, whatever the timeout. Taking the write lock at its start makes it wait for its turn. GET
    # requests go without, side by side.
    @sqlalchemy.event.listens_for(Engine, "before_cursor_execute", retval=True)
    def take_write_lock_first(connection, _cursor, statement, parameters, _context, _many):
        if statement == "BEGIN" and not getattr(request, "only_reads", False):
            statement = "BEGIN IMMEDIATE"
            request.locking = [*getattr(request, "locking", []), connection.connection.dbapi_connection]
        return statement, parameters


def in_transaction(connection):
    try:
        return connection.in_transaction
    except sqlite3.ProgrammingError:
        return False  # closed: the pool keeps only so many


def serve(state, name, listening):
    service = "keystone" if name == "keystone" else "neutron"
    os.environ[f"OS_{service.upper()}_CONFIG_DIR"] = os.path.join(state, "etc")
    os.environ[f"OS_{service.upper()}_CONFIG_FILES"] = f"{name}.conf"
    sys.argv = [name]  # the services read the command line for options of their own
    application = importlib.import_module(f"{service}.wsgi.api").application

    def answer(environ, start_response):
        request.only_reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        request.locking = []
        try:
            return application(environ, start_response)
        finally:
            # A session nobody has closed keeps the write lock until it is collected, which all others may wait for.
            if any(in_transaction(connection) for connection in request.locking):
                gc.collect()

    # Threads of the message bus would keep an orderly exit waiting for ever.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    from cheroot import wsgi

    class Server(wsgi.Server):
        def bind(self, family, type, proto=0):
            self.socket = listening
            return listening

    address = listening.getsockname()
    server = Server(address, answer, numthreads=THREADS, request_queue_size=128, server_name=name)
    gc.collect()
    gc.freeze()  # all of OpenStack's modules would be walked at each full collection
    server.safe_start()


def fork(state, name, sockets):
    if child := os.fork():
        with open(os.path.join(state, "run", f"{name}.pid"), "w") as file:
            print(child, file=file)
        return
    try:
        os.setsid()
        output = os.open(os.path.join(state, "log", f"{name}.out"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        for other in sockets.keys() - {name}:
            sockets[other].close()
        serve(state, name, sockets[name])
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def listen(name, port):
    """Takes the port, before the imports: the ports a kernel gives to outgoing connections include these.

    Such a connection may even hold it for a moment, so it is tried again unless another program listens there.
    """
    deadline = time.monotonic() + 30
    while True:
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            taken.bind(("127.0.0.1", port))
            taken.listen(128)
            return taken
        except OSError:
            taken.close()
        command = ["ss", "-Htanp", f"sport = :{port}"]
        try:
            owner = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        except OSError:
            owner = "unknown"
        if "LISTEN" in owner or time.monotonic() > deadline:
            sys.exit(f"port {port} of 127.0.0.1, meant for {name}, is taken by another program: {owner}")
        time.sleep(0.2)


def main():
    state, servers = sys.argv[1], [spec.split(":") for spec in sys.argv[2:]]
    sockets = {name: listen(name, int(port)) for name, port in servers}
    adapt_sqlite()
    if any(name != "keystone" for name, _ in servers):
        for module in NEUTRON:
            importlib.import_module(module)
    for name in sockets:
        fork(state, name, sockets)


main()
