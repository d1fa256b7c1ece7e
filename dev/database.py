"""The private database server of a stack: MariaDB from the system's packages, or MySQL from a
small Debian root filesystem (dev/mysql-root.sh). Both listen on a unix socket only, write every
commit to disk, and never read the configuration or the data of a server the system may run.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time

from process import Error, Process, run

START_SECONDS = 90
BUFFER_POOL = "256M"
# whatever the settings of all sessions are
SESSION = "SET SESSION TRANSACTION READ WRITE; SET autocommit = 1, completion_type = 0;\n"
ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}  # of the client's --batch output

# One user for the programs, with rights on their own databases only, as in production.
SETUP_SQL = r"""
CREATE DATABASE IF NOT EXISTS outdial CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'outdial'@'localhost';
ALTER USER 'outdial'@'localhost' IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON outdial.* TO 'outdial'@'localhost';
GRANT ALL PRIVILEGES ON `outdial\_simulation\_%`.* TO 'outdial'@'localhost';
"""


class Database:
    """The common part of both servers. A subclass creates and starts its server."""

    name = "database"
    buffer_pool = BUFFER_POOL
    settings = []  # more options of the server

    def __init__(self, folder, run_folder, log_folder):
        self.folder = folder
        self.run_folder = run_folder
        self.log = os.path.join(log_folder, "database.log")
        self.process = None
        self.env = {}  # from its next start on

    def start(self, password):
        """Creates the data at the first start, and returns once the server answers."""
        if not os.path.isdir(self.data):
            self._create()
        self._launch()
        self.sql(SETUP_SQL.format(password=password), database="")

    def address(self):
        """Returns the text of an option file for this server."""
        return f"socket = {self.socket}\n"

    def processes(self):
        return [self.process] if self.process else []

    def restart(self, number):
        self.process.stop(number, START_SECONDS)
        self._launch()

    def resume(self):
        """Starts the server again after stop(), with the same data."""
        self._launch()

    def stop(self):
        """Ends the server, and waits until it has written its data."""
        if self.process:
            self.process.stop(signal.SIGTERM, START_SECONDS)
            self.process = None

    def discard(self):
        """Removes data that must not outlast the stack."""

    def sql(self, text, database="outdial"):
        """Runs statements as the administrator and returns the rows, as lists of str or None.

        (A text value that reads NULL is taken for NULL: the client prints both alike.)
        """
        result = subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch",
             "--skip-column-names", "--default-character-set=utf8mb4", database],
            input=(SESSION + text).encode(), capture_output=True)
        if result.returncode != 0:
            raise Error("SQL: " + result.stderr.decode("utf-8", "replace").strip())
        lines = result.stdout.decode("utf-8", "backslashreplace").split("\n")[:-1]
        return [[None if value == "NULL" else _unescape(value) for value in line.split("\t")]
                for line in lines]

    def _launch(self):
        """A server that is still starting is killed rather than asked to end: MariaDB may hang when it
        is asked too early, and there is nothing to lose."""
        self.process = Process(self.name, self._command() + self.settings, self.log, self.env, orphaned="KILL")
        try:
            self._wait_for_answer()
        except BaseException:
            self.process.stop(signal.SIGKILL)
            raise

    def _wait_for_answer(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not self.process.alive():
                raise Error(f"The database did not start; the end of {self.log}:\n" +
                            self.process.last_words())
            try:
                self.sql("SELECT 1", database="")
                return
            except Error as error:
                if time.monotonic() > deadline:
                    raise Error(f"The database does not answer ({error}); see {self.log}")
            time.sleep(0.05)


class MariaDB(Database):
    def __init__(self, folder, run_folder, log_folder):
        super().__init__(folder, run_folder, log_folder)
        self.data = os.path.join(folder, "mariadb")
        self.socket = os.path.join(run_folder, "mariadb.sock")

    def _certificate(self):
        """Options with a certificate, for programs that ask for TLS. MySQL makes one itself."""
        key, certificate = [os.path.join(self.folder, f"mariadb-{name}.pem") for name in ("key", "certificate")]
        if not os.path.exists(certificate):
            run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-days", "3650", "-subj", "/CN=database", "-keyout", key, "-out", certificate], self.log,
                "Making the database's certificate")
        return [f"--ssl-key={key}", f"--ssl-cert={certificate}"]

    def _create(self):
        """The data are created under another name first, so that an interrupted creation does not count as data."""
        unfinished = self.data + ".new"
        shutil.rmtree(unfinished, ignore_errors=True)
        run(["mariadb-install-db", "--no-defaults", f"--datadir={unfinished}", "--skip-test-db",
             "--force",  # so that it works on a machine that cannot resolve its own name
             f"--tmpdir={self.run_folder}",  # as below: a shared one is emptied under it
             "--auth-root-authentication-method=normal"] + _as_root(), self.log,
            "Creating the database")
        os.rename(unfinished, self.data)

    def _command(self):
        return [program("mariadbd"), "--no-defaults", f"--datadir={self.data}",
                f"--socket={self.socket}", f"--pid-file={self.run_folder}/mariadb.pid",
                f"--tmpdir={self.run_folder}",  # a server that starts empties it: not to be shared
                "--skip-networking", "--skip-log-bin", "--max-connections=300",
                f"--innodb-buffer-pool-size={self.buffer_pool}", "--innodb-flush-log-at-trx-commit=1",
                "--transaction-isolation=READ-COMMITTED",
                "--character-set-server=utf8mb4"] + self._certificate() + _as_root()


class MySQL(Database):
    """Its data lie inside the root filesystem it runs in, last as long as the stack, and start as
    a copy of a freshly initialised server, which dev/mysql-root.sh keeps there."""

    def __init__(self, folder, run_folder, log_folder):
        super().__init__(folder, run_folder, log_folder)
        self.root = mysql_root()
        self.inside = "/srv/" + hashlib.sha256(folder.encode()).hexdigest()[:12]
        self.outside = self.root + self.inside
        self.data = self.outside + "/data"
        # The way in through the root filesystem may be too long for a socket address.
        self.link = os.path.join(run_folder, "mysql")
        self.socket = self.link + "/s.sock"
        self.lock = None

    def start(self, password):
        self.claim_place()
        super().start(password)

    def claim_place(self):
        """Removes the folders of killed stacks, and creates a folder for this stack."""
        places = os.path.dirname(self.outside)
        with open(places + "/lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in set(os.listdir(places)) - {"template", "lock"}:
                if not _is_locked(f"{places}/{name}/lock"):
                    shutil.rmtree(f"{places}/{name}", ignore_errors=True)
            os.mkdir(self.outside, 0o700)
            self.lock = open(self.outside + "/lock", "w")
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def discard(self):
        if self.lock:
            shutil.rmtree(self.outside, ignore_errors=True)
            self.lock.close()
            self.lock = None

    def _create(self):
        subprocess.check_call(["cp", "-a", self.root + "/srv/template", self.data])
        if os.path.islink(self.link):
            os.unlink(self.link)
        os.symlink(self.outside, self.link)

    def _command(self):
        return ["chroot", self.root, "/usr/sbin/mysqld", "--no-defaults", "--user=root",
                f"--datadir={self.inside}/data", f"--socket={self.inside}/s.sock",
                f"--pid-file={self.inside}/pid", "--tmpdir=/tmp", "--secure-file-priv=NULL",
                "--skip-networking", "--mysqlx=OFF", "--disable-log-bin", "--max-connections=300",
                f"--innodb-buffer-pool-size={self.buffer_pool}", "--innodb-flush-log-at-trx-commit=1",
                "--transaction-isolation=READ-COMMITTED", "--character-set-server=utf8mb4"]


SERVERS = {"mariadb": MariaDB, "mysql": MySQL}


def mysql_root():
    """Returns the folder of the root filesystem with MySQL. Raises Error if it does not exist."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mysql-root.sh")
    result = subprocess.run([script, "--path"], capture_output=True, text=True)
    if result.returncode != 0:
        raise Error(result.stderr.strip())
    return result.stdout.strip()


def _as_root():
    return ["--user=root"] if os.geteuid() == 0 else []


def program(name):
    """Servers live in sbin, which is not on everybody's path."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Error(f"{name} is not installed")
    return path


def _is_locked(path):
    try:
        with open(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _unescape(value):
    return re.sub(r"\\(.)", lambda found: ESCAPES.get(found[1], found[1]), value)
