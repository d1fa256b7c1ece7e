#!/usr/bin/env python3
"""examples/prometheus with a real Prometheus: it scrapes, it accepts the rules, and every metric that they name
exists."""

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import tap
import stack
from client import until
from process import Process
from receiver import ends

EXAMPLES = os.path.join(stack.ROOT, "examples", "prometheus")
NAME = re.compile(r"\boutdial_[a-z_]+")


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def scrape(t):
    with urllib.request.urlopen(t.stack.url + "/metrics") as reply:
        return reply.read()


def shown(t):
    return set(re.findall(r"^# TYPE (\w+)", scrape(t).decode(), re.M))


def promtool(*arguments, **options):
    if not shutil.which("promtool"):
        raise tap.Skip("the package prometheus is not installed")
    result = subprocess.run(["promtool", *arguments], capture_output=True, **options)
    assert result.returncode == 0, result


def test_every_name_is_of_a_metric(t):
    expressions = re.findall(r"expr: (.*)", read(EXAMPLES, "outdial.rules.yml"))
    board = json.loads(read(EXAMPLES, "grafana.json"))
    expressions += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    names = {name.removesuffix("_bucket") for text in expressions for name in NAME.findall(text)}
    assert len(names) > 15 and names <= shown(t), names - shown(t)


def test_the_exposition_and_the_rules(t):
    promtool("check", "metrics", input=scrape(t))
    promtool("check", "rules", os.path.join(EXAMPLES, "outdial.rules.yml"))
    promtool("test", "rules", os.path.join(EXAMPLES, "outdial.rules.test.yml"))


def query(port, expression):
    """The values of an instant query; None while there is no answer."""
    try:
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=5) as reply:
            return [float(one["value"][1]) for one in json.load(reply)["data"]["result"]]
    except OSError:
        return None


def test_prometheus_scrapes(t):
    program = shutil.which("prometheus")
    if not program:
        raise tap.Skip("the package prometheus is not installed")
    folder = os.path.join(t.stack.state_dir, "prometheus")
    os.mkdir(folder)
    shutil.copy(os.path.join(EXAMPLES, "outdial.rules.yml"), folder)
    text = read(EXAMPLES, "prometheus.yml")
    for example, own in (("scrape_interval: 15s", "scrape_interval: 1s"),
                         ("127.0.0.1:8080", f"127.0.0.1:{t.stack.port}")):
        assert text.count(example) == 1, example
        text = text.replace(example, own)
    with open(os.path.join(folder, "prometheus.yml"), "w") as file:
        file.write(text)
    port = stack.free_port()
    prometheus = Process("prometheus",
                         [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                        f"--web.listen-address=127.0.0.1:{port}"], os.path.join(folder, "log"))
    try:
        until(lambda: query(port, 'up{job="outdial"}') == [1], 60, "it scrapes")
        receiver, agent = t.dialing_agent()
        receiver.script = lambda call: ends(delay=0.01)
        batch = t.api.batch(agent, 3)
        t.api.schedule(batch)
        t.api.wait_for(batch, "completed")
        until(lambda: query(port, 'outdial_campaigns{status="completed"}') == [1], 60, "it has the campaign")
        until(lambda: (query(port, 'outdial_webhooks_total{kind="call",outcome="taken"}') or [0])[0] >= 3, 60,
              "it has the webhooks")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/rules") as reply:
            rules = json.load(reply)["data"]["groups"][0]["rules"]
        assert len(rules) == read(EXAMPLES, "outdial.rules.yml").count("- alert:"), rules
        assert all(rule["health"] != "err" for rule in rules), rules
    finally:
        prometheus.stop()


if __name__ == "__main__":
    tap.run(globals())
