#!/usr/bin/env python3
"""API keys over HTTP: they are created, listed, used and revoked."""

import re
import subprocess

import tap
from client import Client, seconds_between, unhex, until

KEY = re.compile(r"outdial_[0-9A-Za-z]{32,}")
STACK = {"config": {"workers": 4}}


def make(t, **fields):
    return t.api.post("/keys", {"name": "Dashboard", "scopes": ["read"], **fields})


def with_key(t, key):
    return Client(t.stack.url, key["key"])


def find(t, key):
    return next(item for item in t.api.all("/keys") if item["id"] == key["id"])


def test_a_new_key_is_shown_once_and_works(t):
    key = make(t, scopes=["write", "read"])
    assert KEY.fullmatch(key["key"]), key
    assert key["scopes"] == ["read", "write"] and key["name"] == "Dashboard", key
    assert key["expires_at"] is None and key["revoked_at"] is None and key["last_used_at"] is None, key
    listed = find(t, key)
    assert "key" not in listed and listed == {name: key[name] for name in listed}, listed
    client = with_key(t, key)
    client.post("/webhooks", {"url": "http://127.0.0.1:9/"})
    client.refuse("forbidden", "GET", "/keys")
    client.refuse("forbidden", "POST", "/keys", {"name": "More", "scopes": ["admin"]})
    hashes = t.stack.sql(f"SELECT COUNT(*) FROM api_keys WHERE hash = UNHEX(SHA2('{key['key']}', 256))")
    assert hashes == [["1"]], hashes


def test_fields(t):
    for field, body in [("name", {"scopes": ["read"]}), ("name", {"name": "", "scopes": ["read"]}),
                        ("name", {"name": "x" * 256, "scopes": ["read"]}), ("scopes", {"name": "x"}),
                        ("scopes", {"name": "x", "scopes": []}), ("scopes", {"name": "x", "scopes": None}),
                        ("scopes", {"name": "x", "scopes": "read"}),
                        ("scopes", {"name": "x", "scopes": ["all"]}),
                        ("expires_at", {"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}),
                        ("expires_at", {"name": "x", "scopes": ["read"], "expires_at": "2040-01-01T00:00:00"}),
                        ("key", {"name": "x", "scopes": ["read"], "key": "outdial_mine"})]:
        t.api.refuse("validation_error", "POST", "/keys", body, field=field)
    key = make(t, name="ä" * 255, scopes=["read", "write", "reports", "admin"], expires_at="2040-01-01T01:00:00+01:00")
    assert key["expires_at"].startswith("2040-01-01T00:00:00"), key
    with_key(t, key).get("/keys")


def test_a_revoked_key_opens_nothing_within_seconds(t):
    key = make(t)
    client = with_key(t, key)
    client.get("/agents")
    t.api.delete(f"/keys/{key['id']}")
    until(lambda: all(client.send("GET", "/agents").status == 401 for _ in range(20)), seconds=5)
    revoked = find(t, key)
    assert revoked["revoked_at"], revoked
    t.api.delete(f"/keys/{key['id']}")
    assert find(t, key)["revoked_at"] == revoked["revoked_at"], "the first revocation counts"


def test_an_expired_key_opens_nothing(t):
    key = make(t, expires_at="2040-01-01T00:00:00Z")
    t.stack.sql(f"UPDATE api_keys SET expires_at = UTC_TIMESTAMP(6) WHERE uuid ="
                f" {unhex(key['id'])}")
    with_key(t, key).refuse("unauthorized", "GET", "/agents")


def test_a_key_describes_itself(t):
    """This also works for a key without any other right."""
    key = make(t, scopes=["reports"], expires_at="2040-01-01T00:00:00Z")
    current = with_key(t, key).get("/keys/current")
    assert {name: current[name] for name in ("id", "name", "scopes", "expires_at")} == \
        {name: key[name] for name in ("id", "name", "scopes", "expires_at")}, current
    assert "key" not in current, current
    assert current["organization"] == {"id": t.api.get("/organization")["id"], "name": t.organization}, current
    versions = t.stack.sql("SELECT MAX(version) FROM schema_version")
    assert current["server"]["schema_version"] == int(versions[0][0]), current
    assert current["server"]["version"] in t.stack.outdial("--version"), current
    Client(t.stack.url, "outdial_nobody").refuse("unauthorized", "GET", "/keys/current")
    t.api.refuse("bad_request", "GET", "/keys/current", query={"id": key["id"]})


def test_a_key_signs_itself_off(t):
    key = make(t)
    with_key(t, key).delete("/keys/current")
    until(lambda: with_key(t, key).send("GET", "/keys/current").status == 401, seconds=5)
    assert find(t, key)["revoked_at"]
    t.api.get("/keys/current")


def test_keys_of_others_are_not_there(t):
    other = t.client(organization="another one")
    theirs = other.post("/keys", {"name": "Theirs", "scopes": ["read"]})
    assert theirs["id"] not in [key["id"] for key in t.api.all("/keys")]
    t.api.refuse("not_found", "DELETE", f"/keys/{theirs['id']}")
    Client(t.stack.url, theirs["key"]).get("/agents")


def test_lists_come_in_pages(t):
    made = [make(t, name=f"Key {n}")["id"] for n in range(5)]
    page = t.api.ask("GET", "/keys", query={"limit": 2, "offset": 1})
    assert [key["id"] for key in page.data] == [made[3], made[2]], page
    assert page.pagination["total"] == 6 and page.pagination["has_more"], page


def test_the_last_use_is_known(t):
    key = make(t)
    client = with_key(t, key)
    assert find(t, key)["last_used_at"] is None
    client.get("/agents")
    used = until(lambda: find(t, key)["last_used_at"], what="the use was noted")
    assert used >= key["created_at"], (used, key)
    for _ in range(50):
        client.get("/agents")
    assert find(t, key)["last_used_at"] == used, "not written more often than once a minute"
    row = unhex(key["id"])
    t.stack.sql(f"UPDATE api_keys SET last_used_at = last_used_at - INTERVAL 2 MINUTE WHERE uuid = {row}")
    with_fresh_workers(t)
    client.get("/agents")
    until(lambda: find(t, key)["last_used_at"] >= used, what="the next use was noted")


def with_fresh_workers(t):
    t.stack.kill("api", 15)
    t.stack.start_api()
    t.stack.wait_ready()


def test_a_key_is_stored_nowhere(t):
    """The key is not even in the replies that are kept under idempotency keys."""
    body = {"name": "Once", "scopes": ["read"]}
    first = t.api.send("POST", "/keys", body, headers={"X-Idempotency-Key": "once"})
    again = t.api.send("POST", "/keys", body, headers={"X-Idempotency-Key": "once"})
    assert again.headers["Idempotency-Replayed"] == "true" and again.status == 201, again
    assert again.data == dict(first.data, key=None), again
    assert len([key for key in t.api.all("/keys") if key["name"] == "Once"]) == 1
    text = first.data["key"][len("outdial_"):]
    kept = t.stack.sql(f"SELECT COUNT(*) FROM idempotency_keys WHERE body LIKE '%{text}%'")
    assert kept == [["0"]], kept


# Keys of sessions

def session(t, key, **fields):
    return with_key(t, key).post("/keys/session", fields)


def row(key):
    return unhex(key["id"])


def test_the_key_of_a_session(t):
    parent = make(t, name="Ada", scopes=["read", "write"])
    made = session(t, parent)
    assert KEY.fullmatch(made["key"]) and (made["name"], made["scopes"]) == ("Ada", ["read", "write"]), made
    assert 43190 <= seconds_between(made["created_at"], made["expires_at"]) <= 43200, made
    current = with_key(t, made).get("/keys/current")
    assert (current["id"], current["parent_id"]) == (made["id"], parent["id"]), current
    assert with_key(t, parent).get("/keys/current")["parent_id"] is None
    with_key(t, made).post("/webhooks", {"url": "http://127.0.0.1:9/"})
    narrow = session(t, parent, scopes=["read"], lifetime_seconds=60)
    assert narrow["scopes"] == ["read"] and seconds_between(narrow["created_at"], narrow["expires_at"]) == 60, narrow
    with_key(t, narrow).refuse("forbidden", "POST", "/webhooks", {"url": "http://127.0.0.1:9/"})
    assert {key["id"] for key in t.api.all("/keys")}.isdisjoint({made["id"], narrow["id"]}), "it is in no list"
    assert made["id"] not in t.stack.outdial("key", "list")
    assert find(t, parent)["last_used_at"], "its use is that of its parent"
    for wrong in ({"scopes": ["read", "admin"]}, {"scopes": []}, {"scopes": None}, {"lifetime_seconds": 59},
                  {"lifetime_seconds": 43201}, {"lifetime_seconds": "60"}, {"name": "x"}, {"expires_at": None}):
        with_key(t, parent).refuse("validation_error", "POST", "/keys/session", wrong, field=list(wrong)[0])
    with_key(t, made).refuse("forbidden", "POST", "/keys/session", {})
    assert with_key(t, make(t, scopes=["reports"])).post("/keys/session")["scopes"] == ["reports"]


def test_a_session_ends_alone(t):
    parent = make(t)
    made, other = session(t, parent), session(t, parent)
    with_key(t, made).delete("/keys/current")
    until(lambda: with_key(t, made).send("GET", "/agents").status == 401, seconds=5)
    with_key(t, other).get("/agents")
    with_key(t, parent).get("/agents")


def test_a_session_ends_with_its_parent(t):
    revoked, expired, soon = make(t), make(t, expires_at="2040-01-01T00:00:00Z"), \
        make(t, expires_at="2040-01-01T00:00:00Z")
    t.stack.sql(f"UPDATE api_keys SET expires_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR WHERE uuid = {row(soon)}")
    bounded = session(t, soon)
    assert seconds_between(bounded["created_at"], bounded["expires_at"]) <= 3601, "not after its parent"
    first, second = session(t, revoked), session(t, expired)
    for key in (first, second):
        with_key(t, key).get("/agents")
    t.api.delete(f"/keys/{revoked['id']}")
    t.stack.sql(f"UPDATE api_keys SET expires_at = UTC_TIMESTAMP(6) WHERE uuid = {row(expired)}")
    for key, word in ((first, "revoked"), (second, "expired")):
        until(lambda: all(with_key(t, key).send("GET", "/agents").status == 401 for _ in range(20)), seconds=5)
        assert word in with_key(t, key).send("GET", "/agents").error["message"]


def test_sessions_are_not_kept_for_ever(t):
    parent = make(t)
    first = session(t, parent, lifetime_seconds=60)
    others = ("WITH RECURSIVE s AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM s WHERE seq < 999)"
              " SELECT UNHEX(LEFT(SHA2(CONCAT(k.uuid, seq), 256), 32)), k.organization_id, k.id, '',"
              " UNHEX(SHA2(CONCAT(seq, k.uuid), 256)), 1,"
              " UTC_TIMESTAMP(6) + INTERVAL 1 HOUR, '9999-12-31', '1000-01-01', UTC_TIMESTAMP(6)"
              f" FROM s JOIN api_keys k ON k.uuid = {row(parent)}")
    t.stack.sql("INSERT INTO api_keys (uuid, organization_id, parent_id, name, hash, scopes, expires_at, revoked_at,"
                f" last_used_at, created_at) {others}")
    with_key(t, first).get("/agents")
    session(t, parent)
    count = f"SELECT COUNT(*) FROM api_keys k JOIN api_keys p ON p.id = k.parent_id WHERE p.uuid = {row(parent)}"
    assert t.stack.sql(count) == [["1000"]], "the one that would end first goes"
    until(lambda: with_key(t, first).send("GET", "/agents").status == 401, seconds=5)
    t.stack.sql("UPDATE api_keys k JOIN api_keys p ON p.id = k.parent_id"
                f" SET k.expires_at = k.expires_at - INTERVAL 3 DAY WHERE p.uuid = {row(parent)}")
    for name in [name for name in t.stack.processes if name.startswith("scheduler")]:
        t.stack.kill(name)
        t.stack.start_scheduler()
    until(lambda: t.stack.sql(count) == [["0"]], 60, "they left")
    assert find(t, parent)["revoked_at"] is None


# From the command line

def create(t, *options, organization="Somebody"):
    return ("key", "create", "--organization", organization, *options)


def test_a_command_makes_keys(t):
    key = t.stack.outdial(*create(t, "--name", "ä" * 255, "--scopes", "read,admin", "--expires",
                                  "2040-01-01T01:00:00+01:00"))
    made = Client(t.stack.url, key.strip()).get("/keys")[0]
    assert made["name"] == "ä" * 255 and made["scopes"] == ["read", "admin"], made
    assert made["expires_at"].startswith("2040-01-01T00:00:00"), made
    for options, said in [(("--expires", "2020-01-01T00:00:00Z"), "--expires must be in the future"),
                          (("--expires", "soon"), "--expires must be"), (("--scopes", "reed"), "--scopes must be"),
                          (("--name", "ä" * 256), "--name must have"), (("--name", "\udcff"), "--name must have")]:
        assert said in t.outdial_fails(*create(t, *options)), options
    assert len(Client(t.stack.url, key.strip()).all("/keys")) == 1


def test_a_command_that_does_not_exist(t):
    said = t.outdial_fails("key", "make")
    assert "there is no command `key make`" in said and "Usage: outdial" in said, said
    assert "there is no command `migrat`" in t.outdial_fails("migrat", "--sql", "x")


def test_a_service_takes_no_arguments(t):
    """A program that ignored -c would work with another configuration than intended."""
    for program in ("outdial-api", "outdial-scheduler"):
        result = subprocess.run([f"{t.stack.build}/{program}", t.stack.write_config()], capture_output=True, text=True,
                                timeout=10)
        assert result.returncode == 1 and f"Usage: {program}" in result.stderr, result


if __name__ == "__main__":
    tap.run(globals())
