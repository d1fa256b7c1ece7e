"""A session of the administrator with the database. It stays open."""

import subprocess

CLIENT = ["mariadb", "--no-defaults", "--user=root", "outdial", "--batch", "--unbuffered", "--skip-column-names"]


class Session:
    def __init__(self, t, *statements):
        self.process = subprocess.Popen(CLIENT + [f"--socket={t.stack.database.socket}"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        for statement in statements:
            self.run(statement)

    def run(self, statement):
        self.begin(statement)
        self.finish()

    def begin(self, statement):
        """Sends the statement, and does not wait for its end."""
        self.process.stdin.write(statement + ";\nSELECT 'done';\n")
        self.process.stdin.flush()

    def finish(self):
        while self.process.stdout.readline().strip() != "done":
            assert self.process.poll() is None, "the session has ended"

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()
