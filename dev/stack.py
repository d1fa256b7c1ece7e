"""A private Outdial in a folder: database, API workers, schedulers and nginx.

    with Stack("/tmp/try") as stack:
        print(stack.url, stack.key)

`./run` and the end-to-end tests use the same class. The folder keeps MariaDB's data, so that a later
Stack on it goes on where the last one ended; log/ in it has one file per process. Nothing is shared
with services that the machine may run, and no process is left when the stack has stopped, whatever
ended the program: the end of the block, an exception, SIGTERM, Ctrl-C, or SIGKILL.

Use it from the main thread (see process.py); sql(), new_key() and workers() are free of that.
"""

import collections
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import cluster as clusters
import database as databases
import statedir
from ports import free_port, port_is_free
from process import Error, Process, explain

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
READY_SECONDS = 30
SHORT_LIFE = 5  # seconds; a program that ends sooner would end again
FREE_MEGABYTES = 400  # what an empty database and its logs take, and some room to work
DatabaseSession = collections.namedtuple("DatabaseSession", "id user state")

WRITTEN = "# Written by dev/stack.py at every start.\n"
NGINX_MAIN = WRITTEN + """\
daemon off;
{user}
worker_processes 2;
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
error_log {log}/nginx.log notice;
events {{
	worker_connections 4096;
}}
http {{
	client_body_temp_path {folder}/body;
	fastcgi_temp_path {folder}/fastcgi;
	proxy_temp_path {folder}/proxy;
	scgi_temp_path {folder}/scgi;
	uwsgi_temp_path {folder}/uwsgi;
	include {folder}/site.conf;
}}
"""


class Stack:
    """state_dir: the folder of the state; it is created if it does not exist. port: the port of nginx on 127.0.0.1;
    None: a free port. database: "mariadb" or "mysql". build: the folder of the programs, relative to the checkout
    (default: $OUTDIAL_BUILD, or build). config: keys of outdial.conf with other values than the defaults here.
    schedulers: how many schedulers start() starts. rate_limit=False: nginx without limit_req, for benchmarks.
    cluster=True: three database servers (cluster.py) instead of one. server_settings: more options of the database
    server, by its kind."""

    def __init__(self, state_dir, port=None, database="mariadb", build=None, config=None,
                 schedulers=1, rate_limit=True, cluster=False, server_settings=None):
        self.state_dir = os.path.abspath(state_dir)
        self.log_dir = os.path.join(self.state_dir, "log")
        self.build = os.path.join(ROOT, build or os.environ.get("OUTDIAL_BUILD") or "build")
        self.port = port
        self.key = None
        self.database_kind = database
        self.cluster = cluster
        self.server_settings = (server_settings or {}).get(database, [])
        self.config = config or {}
        self.schedulers = schedulers
        self.rate_limit = rate_limit
        self.database = None
        self.processes = {}  # by name, in the order of their start
        self.lock = None
        self.run_dir = None

    # Life of the whole

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()

    def start(self):
        """Starts everything and returns when requests are answered; on failure nothing is left."""
        _end_in_order()
        try:
            self.prepare()
            self.start_database()
            self.migrate()
            self.start_api()
            for _ in range(self.schedulers):
                self.start_scheduler()
            self.start_nginx()
            self.wait_ready()
            self.key = self.key or self.new_key("default")
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError):
                raise Error(explain(error)) from error
            raise
        return self

    def stop(self):
        """Ends all processes, in the reverse order of their start. Ctrl-C cannot interrupt it."""
        with _uninterrupted():
            for process in reversed(list(self.processes.values())):
                process.stop()
            self.processes.clear()
            self.stop_database()
            if self.database:
                self.database.discard()
            if self.run_dir:
                shutil.rmtree(self.run_dir, ignore_errors=True)
                self.run_dir = None
            if self.lock:
                os.close(self.lock)
                self.lock = None

    def prepare(self):
        """Creates the folders and locks the state. Starts nothing."""
        if not re.fullmatch(r"[\w./+@:,=-]+", self.state_dir):
            raise Error(f"The name of the state folder, {self.state_dir}, has characters that "
                        "configuration files do not take: choose another")
        for folder in (self.state_dir, self.log_dir, os.path.join(self.state_dir, "nginx")):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        self.lock = statedir.lock(self.state_dir)
        space = os.statvfs(self.state_dir)
        if space.f_bavail * space.f_frsize < FREE_MEGABYTES << 20:
            raise Error(f"Too little room on the disk of {self.state_dir}: "
                        f"{FREE_MEGABYTES} MB are needed")
        self.run_dir = statedir.run_folder(self.state_dir)
        if self.port is None:
            self.port = free_port()
        elif not port_is_free(self.port):
            raise Error(f"Port {self.port} of 127.0.0.1 is taken by another program: "
                        "choose another (with --port)")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def dashboard(self):
        """Returns the address of the dashboard; None if it was not built."""
        built = os.path.exists(os.path.join(self.build, "web", "dashboard", "index.html"))
        return self.url + "/dashboard/" if built else None

    # Its parts

    def start_database(self):
        server = (clusters.CLUSTERS if self.cluster else databases.SERVERS)[self.database_kind]
        self.database = self.database or server(self.state_dir, self.run_dir, self.log_dir)
        self.database.settings = self.server_settings
        self.database.start(self._write_database_file())

    def stop_database(self):
        if self.database:
            self.database.stop()

    def resume_database(self):
        """Starts the database again after stop_database(), with the same data."""
        self.database.resume()

    def restart_database(self, number=signal.SIGTERM):
        """SIGTERM: an orderly restart; SIGKILL: a crash and its recovery."""
        self.database.restart(number)

    def migrate(self):
        self.outdial("migrate", "--sql", os.path.join(ROOT, "sql"))
        self.outdial("secrets", "rekey")  # the state of a version without keys

    def start_api(self, name="api", build=None, **own):
        """Starts an API. Another name is the API of a further host: `own` has the differences of its configuration,
        such as its socket. `build`: a folder with other programs."""
        self._start(name, [f"{build or self.build}/outdial-api", "-c", self.write_config(name, own)])

    def start_scheduler(self, build=None, **own):
        """Starts another scheduler and returns its name: scheduler-1, scheduler-2, …"""
        number = 1
        while f"scheduler-{number}" in self.processes:
            number += 1
        name = f"scheduler-{number}"
        self._start(name, [f"{build or self.build}/outdial-scheduler", "-c", self.write_config(name, own)])
        return name

    def start_nginx(self, name="nginx", port=None, sockets=None):
        """port, sockets: of one more, before other APIs."""
        folder = os.path.join(self.state_dir, name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        user = "user root;" if os.geteuid() == 0 else ""
        with open(os.path.join(folder, "main.conf"), "w") as file:
            file.write(NGINX_MAIN.format(user=user, folder=folder, log=self.log_dir))
        self.write_site(name, port, sockets)
        self._start(name, [databases.program("nginx"), "-p", folder, "-c", os.path.join(folder, "main.conf"), "-e",
                           os.path.join(self.log_dir, name + ".log")])

    def write_site(self, name="nginx", port=None, sockets=None):
        """Sets the APIs to which nginx passes requests; call kill(name, SIGHUP) to apply it."""
        with open(os.path.join(self.state_dir, name, "site.conf"), "w") as file:
            file.write(self._site(port or self.port, sockets or [self.socket_of("api")]))

    def socket_of(self, name):
        return f"{self.run_dir}/{name}.sock"

    def start_program(self, name, argv, env=None):
        """Starts another program that ends with the stack, such as a dialer."""
        self._start(name, argv, env)

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal to a process. If the process ends, its children are ended too (as systemd would do), and it
        may be started again."""
        process = self.processes[name]
        process.send(number)
        if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            process.stop(number)
            del self.processes[name]

    def hand_over(self, sockets, name="nginx"):
        """Makes nginx pass requests to these APIs only. Returns when the requests that it passed to other APIs are
        answered."""
        before = set(self.workers(name))
        self.write_site(name, sockets=sockets)
        self.kill(name, signal.SIGHUP)
        deadline = time.monotonic() + READY_SECONDS
        while not self.workers(name) or before & set(self.workers(name)):
            if time.monotonic() > deadline:
                raise Error(f"{name} still answers with its former configuration")
            time.sleep(0.02)

    def workers(self, name="api"):
        """Returns the process ids of the workers of the API (without reserve and monitor), or of nginx."""
        pid = self.processes[name].pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            found = [int(child) for child in children.read().split()]
        return found if name != "api" else [child for child in found if command_of(child) == "outdial-api"]

    def ended(self):
        """Returns the first process that has ended without being asked to, or None."""
        database = self.database.processes() if self.database else []
        for process in database + list(self.processes.values()):
            if not process.alive():
                return process
        return None

    def keep_up(self):
        """Starts a process that has ended by itself again, as systemd would do. Returns its name, or None; raises
        Error if it did not live long."""
        process = self.ended()
        if not process:
            return None
        if time.monotonic() < process.started + SHORT_LIFE:
            raise Error(f"{process.name} has ended; the end of {process.log}:\n" + process.last_words())
        process.stop()
        if process in self.database.processes():
            self.database.resume()
        else:
            self.processes[process.name] = process.again()
        return process.name

    # Using it

    def outdial(self, *arguments, build=None):
        """Runs the command-line tool and returns what it printed; raises Error when it fails."""
        result = subprocess.run([f"{build or self.build}/outdial", "-c", self.write_config(), *arguments],
                                capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            raise Error(f"outdial {' '.join(arguments)} failed:\n    " +
                        (result.stderr + result.stdout).strip().replace("\n", "\n    "))
        return result.stdout

    def new_key(self, organization, scopes="all"):
        """Creates an API key. The organisation is created if it does not exist."""
        if not isinstance(scopes, str):
            scopes = ",".join(scopes)
        return self.outdial("key", "create", "--organization", organization,
                            "--scopes", scopes).strip()

    def sql(self, text):
        """Rows as lists of str or None, through the client program, as the administrator."""
        return self.database.sql(text)

    def sessions(self, user=None):
        """Those of the server, or of one of its users. Not from information_schema: MySQL cannot read its table of
        sessions while the text of some statement holds bytes."""
        found = [DatabaseSession(id, name, state) for id, name, _, _, _, _, state, *_ in self.sql("SHOW PROCESSLIST")]
        return [session for session in found if user in (None, session.user)]

    def wait_ready(self):
        """Waits until /readyz answers 200 through nginx, or until a process ends."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            process = self.ended()
            if process:
                raise Error(f"{process.name} did not start; the end of {process.log}:\n" +
                            process.last_words())
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=5):
                    return
            except urllib.error.HTTPError as error:
                answer = f"{error.code} {error.read().decode('utf-8', 'replace')}"
            except OSError as error:
                answer = str(error)
            if time.monotonic() > deadline:
                raise Error(f"Outdial is not ready after {READY_SECONDS} s: {answer}\n"
                            f"See the logs in {self.log_dir}")
            time.sleep(0.05)

    # Files

    @property
    def config_file(self):
        return os.path.join(self.state_dir, "outdial.conf")

    @property
    def database_file(self):
        return os.path.join(self.state_dir, "database.cnf")

    @property
    def secret_key_file(self):
        return os.path.join(self.state_dir, "secret.key")

    def write_config(self, name=None, own=None):
        """Writes the file before every start of a program, so that a changed self.config takes effect. `own`: the
        differences for this program, which then has a file of its own."""
        if not os.path.exists(self.secret_key_file):
            statedir.write_file(self.secret_key_file, secrets.token_hex(32) + "\n")
        values = {
            "database_file": self.database_file,
            "secret_key_file": self.secret_key_file,
            "socket": self.socket_of("api"),
            "workers": 4,
            "public_url": self.url,
            "calling_hours_file": os.path.join(ROOT, "docs", "calling-hours.txt"),
            "webhook_allow_http": "yes",
            "webhook_allow_private": "yes",
        }
        values.update(self.config)
        values.update(own or {})
        text = "".join(f"{key} = {value}\n" for key, value in values.items())
        path = os.path.join(self.state_dir, f"outdial-{name}.conf") if own else self.config_file
        statedir.write_file(path, WRITTEN + text)
        return path

    def database_file_of(self, node):
        """Writes an option file with which programs reach only this node of the cluster."""
        with open(self.database_file) as file:
            text = file.read().replace(self.database.address(), self.database.address([node]))
        path = os.path.join(self.state_dir, f"database-{node.name}.cnf")
        statedir.write_file(path, text)
        return path

    def _write_database_file(self):
        password = secrets.token_hex(16)
        statedir.write_file(
            self.database_file, f"{WRITTEN}[outdial]\n{self.database.address()}"
            f"user = outdial\npassword = {password}\ndatabase = outdial\n")
        return password

    def _site(self, port, sockets):
        """Makes the site from the production file, with our own address, socket and log."""
        with open(os.path.join(ROOT, "nginx", "outdial.conf")) as file:
            site = file.read()
        places = {
            r"listen 127\.0\.0\.1:8080;": f"listen 127.0.0.1:{port};",
            r"server unix:/run/outdial/api\.sock;": " ".join(f"server unix:{path};" for path in sockets),
            r"include /etc/nginx/outdial\.d/": f"include {self.state_dir}/nginx/outdial.d/",
            r"access_log /var/log/nginx/outdial\.log": f"access_log {self.log_dir}/access.log",
            r"root /usr/local/share/outdial/web;": f"root {self.build}/web;",
        }
        for pattern, own in places.items():
            site, count = re.subn(pattern, own, site)
            if count != 1:
                raise Error(f"nginx/outdial.conf: “{pattern}” occurs {count} times")
        return site if self.rate_limit else re.sub(r"\n\s*limit_req .*;", "", site)

    def _start(self, name, argv, env=None):
        if name in self.processes:
            raise Error(f"{name} runs already")
        log = os.path.join(self.log_dir, name + ".log")
        self.processes[name] = Process(name, argv, log, env)


def command_of(pid):
    """Returns the name of a process; None if it has ended."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return None


class _uninterrupted:
    """A block that no signal to end interrupts. (Outside of the main thread no signal does.)"""

    def __enter__(self):
        self.old = {}
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self.old[number] = signal.signal(number, signal.SIG_IGN)
        except ValueError:
            pass

    def __exit__(self, *exception):
        for number, handler in self.old.items():
            signal.signal(number, handler)


def _end_in_order():
    """SIGTERM and SIGHUP become an exception, so that the enclosing blocks end in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
