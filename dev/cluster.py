"""Three database servers with the same data, instead of one server: Galera (MariaDB), or MySQL's group
replication with a single primary. All are processes on loopback, and each may be killed and come back.

A Stack takes one with cluster=True. Galera's provider is the package galera-4; its script for a node that needs
all data is taken out of the package mariadb-server, which would bring a service with it.
"""

import fcntl
import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

from database import SETUP_SQL, START_SECONDS, MariaDB, MySQL
from ports import free_ports
from process import Error

NODES = 3
CACHE = os.environ.get("OUTDIAL_CACHE") or "/var/cache/outdial"
PROVIDER = "/usr/lib/galera/libgalera_smm.so"
ASK_SECONDS = 60
SMALL_POOL = "96M"


class Cluster:
    """A cluster, with the interface of a Database. `nodes` are in the order of the list of hosts."""

    def __init__(self, folder, run_folder, log_folder):
        ports = free_ports(NODES * 4)
        self.nodes = []
        for number in range(NODES):
            own = [os.path.join(base, f"node{number + 1}") for base in (folder, log_folder)]
            own.insert(1, os.path.join(run_folder, str(number + 1)))
            for path in own:
                os.makedirs(path, mode=0o700, exist_ok=True)
            node = self.NODE(*own)
            node.name, node.number = f"node{number + 1}", number
            node.port, *node.inner_ports = ports[number * 4:number * 4 + 4]
            self.nodes.append(node)

    def address(self, nodes=None):
        """Returns the text of an option file for the cluster, or for some of its nodes."""
        nodes = nodes or self.nodes
        if len(nodes) == 1:
            return f"host = 127.0.0.1\nport = {nodes[0].port}\n"
        return "host = " + ", ".join(f"127.0.0.1:{node.port}" for node in nodes) + "\n"

    def processes(self):
        return [node.process for node in self.nodes if node.process]

    def start(self, password):
        for node in self.nodes:
            node.create()
        self.bring_up()
        self.sql(SETUP_SQL.format(password=password), database="")

    def stop(self):
        for node in self.nodes:
            node.stop()

    def discard(self):
        for node in self.nodes:
            node.discard()

    def sql(self, text, database="outdial"):
        """Runs SQL on the writer, as soon as there is one."""
        return self.writer().sql(text, database)

    def writer(self):
        """Returns the first node that takes writes."""
        deadline = time.monotonic() + ASK_SECONDS
        while True:
            for node in self.nodes:
                if node.process and node.process.alive() and node.takes_writes():
                    return node
            if time.monotonic() > deadline:
                raise Error("No node of the cluster takes writes")
            time.sleep(0.05)

    def kill(self, node, number=signal.SIGKILL):
        node.process.stop(number, START_SECONDS)
        node.process = None

    def come_back(self, node):
        """Starts a node that was killed; does not wait until it has caught up."""
        node.launch([])

    def wait_whole(self, seconds=90):
        """Waits until every node takes part."""
        deadline = time.monotonic() + seconds
        while not all(node.is_member() for node in self.nodes):
            for node in self.nodes:
                if not node.process or not node.process.alive():
                    last = node.process.last_words() if node.process else ""
                    raise Error(f"{node.name} has ended; the end of {node.log}:\n{last}")
            if time.monotonic() > deadline:
                raise Error(f"The cluster is not whole after {seconds} s; see {self.nodes[0].log}")
            time.sleep(0.1)


class Node:
    """The common part of both kinds of clusters; mixed into a Database."""

    buffer_pool = SMALL_POOL

    def ask(self, text):
        """Returns None if the node does not answer in time."""
        try:
            result = subprocess.run(
                ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names",
                 "--connect-timeout=2"], input=text, capture_output=True, text=True, timeout=3)
        except subprocess.TimeoutExpired:
            return None
        return result.stdout.split() if result.returncode == 0 else None

    def launch(self, options):
        self.options = options
        self._launch()


# Galera

class GaleraNode(Node, MariaDB):
    def create(self):
        if not os.path.isdir(self.data):
            self._create()

    def _command(self):
        inner, sst, ist = (f"127.0.0.1:{port}" for port in self.inner_ports)
        env = "PATH=" + galera_scripts() + ":" + os.environ["PATH"]
        own = [f"--port={self.port}", "--bind-address=127.0.0.1", "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}",
               f"--wsrep-node-name={self.name}", f"--wsrep-node-address={inner}", "--wsrep-slave-threads=2",
               "--wsrep-sst-method=rsync", f"--wsrep-sst-receive-address={sst}",
               f"--wsrep-node-incoming-address=127.0.0.1:{self.port}",
               f"--wsrep-provider-options=gmcast.listen_addr=tcp://{inner};ist.recv_addr={ist};gcache.size=32M",
               "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2"]
        return ["env", env] + [option for option in super()._command() if option != "--skip-networking"] + \
            own + self.options

    def position(self):
        """Returns the position of the node when it was killed, so that it asks only for the later changes."""
        command = self._command() + ["--wsrep-recover"]
        with tempfile.TemporaryFile("w+") as out:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False)
            out.seek(0)
            found = [line.split("Recovered position:")[1].split()[0] for line in out if "Recovered position:" in line]
        return [f"--wsrep-start-position={found[-1]}"] if found else []

    def takes_writes(self):
        return self.ask("SHOW STATUS LIKE 'wsrep_ready'") == ["wsrep_ready", "ON"]

    def is_member(self):
        return self.takes_writes() and self.ask("SHOW STATUS LIKE 'wsrep_cluster_size'") == \
            ["wsrep_cluster_size", str(NODES)]


class Galera(Cluster):
    """Every node takes writes."""
    NODE = GaleraNode
    ACCIDENTS = ("kill", "part", "stop")

    def options(self, new=False):
        inner = ",".join(f"127.0.0.1:{node.inner_ports[0]}" for node in self.nodes)
        return ["--wsrep-cluster-name=outdial", "--wsrep-cluster-address=gcomm://" + ("" if new else inner)]

    def bring_up(self):
        self.nodes[0].launch(self.options(new=True))
        for node in self.nodes[1:]:
            node.launch(self.options())
        self.wait_whole()

    def used(self):
        """Returns the node with the most connections of Outdial."""
        def count(node):
            answer = node.ask("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'outdial'")
            return int(answer[0]) if answer else -1
        return max(self.nodes, key=count)

    def come_back(self, node):
        node.launch(self.options() + node.position())

    def part(self, node):
        """Cuts the network between this node and the others. Clients still reach it."""
        node.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'", database="")

    def join(self, node):
        node.sql("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'", database="")


def galera_scripts():
    """Returns the folder of the script with which a node gets all data. The first call creates it."""
    if not os.path.exists(PROVIDER):
        raise Error("Galera is not installed (the package galera-4)")
    place = os.path.join(CACHE, "galera-scripts")
    os.makedirs(CACHE, exist_ok=True)
    with open(place + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(place):
            _make_scripts(place)
    return place


def _make_scripts(place):
    """Their rsync changes its user to nobody when root starts it, and then cannot write our files. So it keeps its
    user."""
    shutil.rmtree(place + ".new", ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        found = shutil.which("wsrep_sst_rsync")
        programs = os.path.dirname(found) if found else _unpack_server(folder)
        os.mkdir(place + ".new")
        for name in ("wsrep_sst_rsync", "wsrep_sst_common"):
            with open(os.path.join(programs, name)) as file:
                text = file.read().replace("\ntimeout = 300\n", "\ntimeout = 300\nuid = $(id -u)\ngid = $(id -g)\n")
            with open(os.path.join(place + ".new", name), "w") as file:
                file.write(text)
            os.chmod(os.path.join(place + ".new", name), 0o755)
    os.rename(place + ".new", place)


def _unpack_server(folder):
    result = subprocess.run(["apt-get", "-q", "download", "mariadb-server"], cwd=folder, capture_output=True, text=True)
    packages = glob.glob(os.path.join(folder, "mariadb-server_*.deb"))
    if result.returncode != 0 or not packages:
        raise Error("Galera's scripts are in the package mariadb-server, which cannot be had: " + result.stderr.strip())
    subprocess.check_call(["dpkg", "-x", packages[0], os.path.join(folder, "files")])
    return os.path.join(folder, "files", "usr", "bin")


# Group replication

class GroupNode(Node, MySQL):
    def create(self):
        self.claim_place()
        if not os.path.isdir(self.data):
            self._create()
            os.unlink(os.path.join(self.data, "auto.cnf"))  # each server has an id of its own

    def _command(self):
        own = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--server-id={self.number + 1}", "--log-bin",
               "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--report-host=127.0.0.1",
               f"--report-port={self.port}", "--plugin-load-add=group_replication.so"]
        return [option for option in super()._command() if option not in ("--skip-networking", "--disable-log-bin")] + \
            own + self.options

    def takes_writes(self):
        return self.ask("SELECT @@super_read_only, MEMBER_STATE = 'ONLINE'"
                        " FROM performance_schema.replication_group_members"
                        " WHERE MEMBER_ID = @@server_uuid") == ["0", "1"]

    def is_member(self):
        return self.ask("SELECT COUNT(*) FROM performance_schema.replication_group_members"
                        " WHERE MEMBER_STATE = 'ONLINE'") == \
            [str(NODES)]


class GroupReplication(Cluster):
    """Group replication: one node, the primary, takes writes; the group chooses it."""
    NODE = GroupNode
    ACCIDENTS = ("kill", "move", "stop")

    def options(self, node, boot):
        inner = [f"127.0.0.1:{other.inner_ports[0]}" for other in self.nodes]
        values = {"group_name": self.group, "local_address": inner[node.number], "group_seeds": ",".join(inner),
                  "start_on_boot": boot, "bootstrap_group": "OFF", "ip_allowlist": "127.0.0.0/8",
                  "recovery_get_public_key": "ON", "member_expel_timeout": "0"}
        return [f"--loose-group-replication-{name.replace('_', '-')}={value}" for name, value in values.items()]

    def bring_up(self):
        self.group = str(uuid.uuid4())
        for node in self.nodes:
            node.launch(self.options(node, "OFF"))
            node.sql("SET SQL_LOG_BIN = 0; CHANGE REPLICATION SOURCE TO SOURCE_USER = 'root' FOR CHANNEL"
                     " 'group_replication_recovery'; SET GLOBAL group_replication_bootstrap_group ="
                     f" {'ON' if node.number == 0 else 'OFF'}; START GROUP_REPLICATION;"
                     " SET GLOBAL group_replication_bootstrap_group = OFF", database="")
        self.wait_whole()

    def used(self):
        return self.writer()

    def come_back(self, node):
        node.launch(self.options(node, "ON"))

    def part(self, node):
        """Moves the primary to another node."""
        other = self.nodes[(node.number + 1) % NODES]
        uuid_of = other.ask("SELECT @@server_uuid")[0]
        node.sql(f"SELECT group_replication_set_as_primary('{uuid_of}')", database="")

    def join(self, node):
        """It never left."""


CLUSTERS = {"mariadb": Galera, "mysql": GroupReplication}


def fault(kind):
    """Returns None if a cluster of this kind can be started here, else why not."""
    try:
        if kind == "mariadb":
            galera_scripts()
            missing = [name for name in ("rsync", "lsof") if not shutil.which(name)]
            return f"{' and '.join(missing)} is not installed" if missing else None
    except Error as error:
        return str(error)
    return None
