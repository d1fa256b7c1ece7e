"""The state folder of a stack: its owner, its sockets, and how its files are written."""

import fcntl
import hashlib
import os
import stat

from process import Error

SOCKET_PATH_MAX = 107  # bytes in the address of a unix socket
LONGEST_SOCKET = "/1/mariadb.sock"  # the longest name: the socket of a node of a cluster


def lock(state_dir):
    """Locks a folder, because two stacks on one folder would ruin its database. Returns the file descriptor that holds
    the lock. The lock ends with this process at the latest. The file has the id of the process."""
    held = os.open(_lock_file(state_dir), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise Error(f"Outdial is already running on the state folder {state_dir} "
                    "(./run --stop --state … stops it)")
    os.truncate(held, 0)
    os.write(held, str(os.getpid()).encode())
    return held


def running_pid(state_dir):
    """Returns the id of the process whose stack runs on a state folder, or None."""
    try:
        with open(_lock_file(state_dir)) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None


def run_folder(state_dir):
    """Returns the folder for sockets, which is in the state folder. If that path is too long for a socket's address,
    returns another folder, whose short name is derived from the path."""
    folder = os.path.join(state_dir, "run")
    if len(os.fsencode(folder + LONGEST_SOCKET)) > SOCKET_PATH_MAX:
        base = os.environ.get("XDG_RUNTIME_DIR", "")
        if not os.path.isdir(base) or len(base) > 40:
            base = "/tmp"
        name = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
        folder = os.path.join(base, f"outdial-{os.getuid()}-{name}")
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise Error(f"{folder} belongs to somebody else")
        os.chmod(folder, 0o700)
    return folder


def write_file(path, text):
    """Writes a file completely or not at all, readable only by its owner."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.rename(path + ".new", path)


def _lock_file(state_dir):
    return os.path.join(state_dir, "lock")
