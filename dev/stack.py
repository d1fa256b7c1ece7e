"""A private Outdial in a folder: database, API workers, schedulers and nginx.

    with Stack("/tmp/try") as stack:
        print(stack.url, stack.key)

`./run` and the end-to-end tests use the same class. The folder keeps MariaDB's data, so that a later
Stack on it goes on where the last one ended; log/ in it has one file per process. Nothing is shared
with services that the machine may run, and no process is left when the stack has stopped, whatever
ended the program: the end of the block, an exception, SIGTERM, Ctrl-C, or SIGKILL.

Use it from the main thread (see process.py); sql(), new_key() and workers() are free of that.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import database as databases
import statedir
from process import Error, Process, explain

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
READY_SECONDS = 30
SHORT_LIFE = 5  # seconds; what ends sooner would end again
FREE_MEGABYTES = 400  # what an empty database and its logs take, and some room to work

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
    """state_dir: made when missing. port: of nginx on 127.0.0.1; None: one that is free.
    database: "mariadb" or "mysql". build: folder of the programs, relative to the checkout
    (default: $OUTDIAL_BUILD, or build). config: keys of outdial.conf that differ from the
    defaults here. schedulers: how many start() starts. rate_limit=False: nginx without limit_req,
    for benchmarks."""

    def __init__(self, state_dir, port=None, database="mariadb", build=None, config=None,
                 schedulers=1, rate_limit=True):
        self.state_dir = os.path.abspath(state_dir)
        self.log_dir = os.path.join(self.state_dir, "log")
        self.build = os.path.join(ROOT, build or os.environ.get("OUTDIAL_BUILD") or "build")
        self.port = port
        self.key = None
        self.database_kind = database
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
        """Ends what runs, in the reverse order of its start. Ctrl-C cannot interrupt it."""
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
        """Makes the folders and takes the lock of the state; starts nothing."""
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
        """Where browsers find it; None when it was not built."""
        built = os.path.exists(os.path.join(self.build, "web", "dashboard", "index.html"))
        return self.url + "/dashboard/" if built else None

    # Its parts

    def start_database(self):
        server = databases.SERVERS[self.database_kind]
        self.database = self.database or server(self.state_dir, self.run_dir, self.log_dir)
        self.database.start(self._write_database_file())

    def stop_database(self):
        if self.database:
            self.database.stop()

    def resume_database(self):
        """After stop_database(): the same data again."""
        self.database.resume()

    def restart_database(self, number=signal.SIGTERM):
        """SIGTERM: an orderly restart; SIGKILL: a crash and its recovery."""
        self.database.restart(number)

    def migrate(self):
        self.outdial("migrate", "--sql", os.path.join(ROOT, "sql"))
        self.outdial("secrets", "rekey")  # of a state from before there were keys

    def start_api(self):
        self._start("api", [f"{self.build}/outdial-api", "-c", self.write_config()])

    def start_scheduler(self):
        """Starts one more and returns its name: scheduler-1, scheduler-2, …"""
        number = 1
        while f"scheduler-{number}" in self.processes:
            number += 1
        name = f"scheduler-{number}"
        self._start(name, [f"{self.build}/outdial-scheduler", "-c", self.write_config()])
        return name

    def start_nginx(self):
        folder = os.path.join(self.state_dir, "nginx")
        user = "user root;" if os.geteuid() == 0 else ""
        with open(os.path.join(folder, "main.conf"), "w") as file:
            file.write(NGINX_MAIN.format(user=user, folder=folder, log=self.log_dir))
        with open(os.path.join(folder, "site.conf"), "w") as file:
            file.write(self._site())
        self._start("nginx", [databases.program("nginx"), "-p", folder, "-c",
                              os.path.join(folder, "main.conf"), "-e",
                              os.path.join(self.log_dir, "nginx.log")])

    def start_program(self, name, argv, env=None):
        """Any other program that is to live and end with the stack, such as a dialer."""
        self._start(name, argv, env)

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal to a process. When it ends of it, what it leaves behind is ended too (as
        systemd would), and it may be started again."""
        process = self.processes[name]
        process.send(number)
        if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            process.stop(number)
            del self.processes[name]

    def workers(self, name="api"):
        """The process ids of the workers of the API (not of those that stand beside them), or of nginx."""
        pid = self.processes[name].pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            found = [int(child) for child in children.read().split()]
        return found if name != "api" else [child for child in found if command_of(child) == "outdial-api"]

    def ended(self):
        """The first process found to have ended although nobody asked it to, or None."""
        database = [self.database.process] if self.database and self.database.process else []
        for process in database + list(self.processes.values()):
            if not process.alive():
                return process
        return None

    def keep_up(self):
        """Starts again what has ended although nobody asked it to, as systemd would. Returns its name, or
        None; an Error when it did not live long."""
        process = self.ended()
        if not process:
            return None
        if time.monotonic() < process.started + SHORT_LIFE:
            raise Error(f"{process.name} has ended; the end of {process.log}:\n" + process.last_words())
        process.stop()
        if process is self.database.process:
            self.database.resume()
        else:
            self.processes[process.name] = process.again()
        return process.name

    # Using it

    def outdial(self, *arguments):
        """Runs the command-line tool and returns what it printed; raises Error when it fails."""
        result = subprocess.run([f"{self.build}/outdial", "-c", self.write_config(), *arguments],
                                capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if result.returncode != 0:
            raise Error(f"outdial {' '.join(arguments)} failed:\n    " +
                        (result.stderr + result.stdout).strip().replace("\n", "\n    "))
        return result.stdout

    def new_key(self, organization, scopes="all"):
        """A new API key; the organisation is made when there is none of that name."""
        if not isinstance(scopes, str):
            scopes = ",".join(scopes)
        return self.outdial("key", "create", "--organization", organization,
                            "--scopes", scopes).strip()

    def sql(self, text):
        """Rows as lists of str or None, through the client program, as the administrator."""
        return self.database.sql(text)

    def wait_ready(self):
        """Until /readyz answers 200 through nginx; sooner when a process ends instead."""
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

    def write_config(self):
        """Written before every start of a program, so that a changed self.config counts."""
        if not os.path.exists(self.secret_key_file):
            statedir.write_file(self.secret_key_file, secrets.token_hex(32) + "\n")
        values = {
            "database_file": self.database_file,
            "secret_key_file": self.secret_key_file,
            "socket": f"{self.run_dir}/api.sock",
            "workers": 4,
            "public_url": self.url,
            "webhook_allow_http": "yes",
            "webhook_allow_private": "yes",
        }
        values.update(self.config)
        text = "".join(f"{key} = {value}\n" for key, value in values.items())
        statedir.write_file(self.config_file, WRITTEN + text)
        return self.config_file

    def _write_database_file(self):
        password = secrets.token_hex(16)
        statedir.write_file(
            self.database_file, f"{WRITTEN}[outdial]\nsocket = {self.database.socket}\n"
            f"user = outdial\npassword = {password}\ndatabase = outdial\n")
        return password

    def _site(self):
        """The production site with our own address, socket and log: there is one source only."""
        with open(os.path.join(ROOT, "nginx", "outdial.conf")) as file:
            site = file.read()
        places = {
            r"listen 127\.0\.0\.1:8080;": f"listen 127.0.0.1:{self.port};",
            r"server unix:/run/outdial/api\.sock;": f"server unix:{self.run_dir}/api.sock;",
            r"include /etc/nginx/outdial\.d/": f"include {self.state_dir}/nginx/outdial.d/",
            r"access_log /var/log/nginx/outdial\.log": f"access_log {self.log_dir}/access.log",
            r"root /usr/local/share/outdial/web;": f"root {self.build}/web;",
        }
        for pattern, own in places.items():
            site, count = re.subn(pattern, own, site)
            if count != 1:
                raise Error(f"nginx/outdial.conf: “{pattern}” stands there {count} times")
        return site if self.rate_limit else re.sub(r"\n\s*limit_req .*;", "", site)

    def _start(self, name, argv, env=None):
        if name in self.processes:
            raise Error(f"{name} runs already")
        log = os.path.join(self.log_dir, name + ".log")
        self.processes[name] = Process(name, argv, log, env)


def command_of(pid):
    """What a process calls itself; None when it is gone."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except OSError:
        return None


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """Below the ports that the kernel gives to outgoing connections: such a one could take it away
    before we listen."""
    while True:
        port = 20000 + secrets.randbelow(12000)
        if port_is_free(port):
            return port


class _uninterrupted:
    """A block that no signal to end breaks off (outside the main thread none does anyway)."""

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
    """SIGTERM and SIGHUP become an exception, so that the blocks around us are left in order."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
