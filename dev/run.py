"""The part of `./run` after the build: starts a stack, shows the demonstration, stays up."""

import argparse
import os
import shlex
import signal
import sys
import time
import urllib.error
import urllib.request

import demo
import stack as stacks
import statedir
from process import Error, explain

STOP_SECONDS = 120
API = "/api/public/v1"


def parse_options():
    options = argparse.ArgumentParser(prog="run", add_help=False)
    options.add_argument("--no-demo", action="store_true")
    options.add_argument("--sip", action="store_true")
    options.add_argument("--detach", action="store_true")
    options.add_argument("--stop", action="store_true")
    options.add_argument("--state", default=os.path.join(stacks.ROOT, ".outdial"))
    options.add_argument("--port", type=int, default=8080)
    options = options.parse_args()
    options.state = os.path.abspath(options.state)
    if not 1 <= options.port <= 65535:
        raise Error(f"{options.port} is no port: --port takes 1 to 65535")
    return options


def say(text):
    print("==> " + text, flush=True)


def stop(state):
    pid = statedir.running_pid(state)
    if not pid:
        say(f"Nothing runs on {state}")
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while statedir.running_pid(state) == pid:
        if time.monotonic() > deadline:
            raise Error(f"Process {pid} has not ended after {STOP_SECONDS} s; see {state}/log")
        time.sleep(0.05)
    say("Stopped")


def start(stack):
    """Starts the stack with the key of the last run, if the key is still valid."""
    say(f"Starting MariaDB, Outdial and nginx in {stack.state_dir}")
    if os.path.exists(env_file(stack)) and not statedir.running_pid(stack.state_dir):
        os.unlink(env_file(stack))  # left by a run that was killed
    saved = os.path.join(stack.state_dir, "key")
    if os.path.exists(saved):
        with open(saved) as file:
            stack.key = file.read().strip()
    stack.start()
    if not key_opens(stack):
        stack.key = stack.new_key("default")
    statedir.write_file(saved, stack.key + "\n")
    statedir.write_file(env_file(stack), f"OUTDIAL_URL={shlex.quote(stack.url)}\n"
                      f"OUTDIAL_API_KEY={shlex.quote(stack.key)}\n")


def key_opens(stack):
    request = urllib.request.Request(stack.url + API + "/agents?limit=1",
                                     headers={"Authorization": "Bearer " + stack.key})
    try:
        urllib.request.urlopen(request, timeout=10).close()
        return True
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return False
        raise Error(f"GET {API}/agents: {error.code} {error.read().decode(errors='replace')}")


def env_file(stack):
    return os.path.join(stack.state_dir, "env")


def welcome(stack, batch_id):
    """Prints the addresses, and three commands to try."""
    env = os.path.relpath(env_file(stack))
    env = env if "/" in env else "./" + env
    if batch_id:
        batch = f"/batch-calls/{batch_id}"
        paths = [batch, f"{batch}/contacts?status=voicemail&limit=3",
                 "/calls?status=completed&limit=3"]
        commands = [f'curl -H "$auth" "$OUTDIAL_URL{API}{path}"' for path in paths]
    else:
        commands = [
            'curl "$OUTDIAL_URL/readyz"',
            f'curl -H "$auth" "$OUTDIAL_URL{API}/telephony/numbers/import" '
            """--json '{"phone_number": "+12125550100", "provider_type": "custom_sip"}'""",
            f'curl -H "$auth" "$OUTDIAL_URL{API}/telephony/numbers"',
        ]
    print(f"""
Outdial is up:  {stack.url}
Dashboard:      {stack.dashboard or 'it was not built: see configure'}
API key:        {stack.key}
Logs:           {os.path.relpath(stack.log_dir)}/

To try it from another terminal:

    . {shlex.quote(env)}; auth="Authorization: Bearer $OUTDIAL_API_KEY"
    {commands[0]}
    {commands[1]}
    {commands[2]}
""", flush=True)


def serve(options, up):
    """Does everything from the start to the end. Calls up() once when all is up, and then keeps running."""
    stack = stacks.Stack(options.state, port=options.port)
    try:
        start(stack)
        batch_id = None if options.no_demo else demo.run(stack, options.sip)
        welcome(stack, batch_id)
        up()
        while True:
            name = stack.keep_up()
            if name:
                say(f"{name} had ended; it was started again, as by systemd")
            time.sleep(0.5)
    finally:
        if stack.lock:
            say("Stopping")
            stack.stop()
            if os.path.exists(env_file(stack)):
                os.unlink(env_file(stack))
            say("Stopped; the data stay in " + stack.state_dir)


def serve_detached(options):
    """Starts a child in a session of its own, and waits for its message that all is up."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os.setsid()

        def up():
            say(f"It goes on in the background; ./run --stop --state {options.state} stops it")
            log = os.open(os.path.join(options.state, "log", "run.log"),
                          os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            null = os.open(os.devnull, os.O_RDONLY)
            for own, standard in ((null, 0), (log, 1), (log, 2)):
                os.dup2(own, standard)
            os.write(writing, b"up")
            os.close(writing)

        return serve(options, up)
    os.close(writing)
    try:
        if os.read(reading, 2) == b"up":
            return None
    except KeyboardInterrupt:
        os.kill(pid, signal.SIGTERM)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(status if status > 0 else 1)


def main():
    try:
        options = parse_options()
        if options.stop:
            stop(options.state)
        elif options.detach:
            serve_detached(options)
        else:
            serve(options, lambda: say("Ctrl-C stops everything"))
    except KeyboardInterrupt:
        sys.exit(130)
    except Error as error:
        sys.exit(f"run: {error}")
    except OSError as error:
        sys.exit(f"run: {explain(error)}")


if __name__ == "__main__":
    main()
