"""Rounds of the same requests of all kinds, to find out whether memory grows: reads and changes, small and large,
files in both directions, and refusals."""

import http.client
import json

from client import BASE, EVERY_DAY, contacts

CONTACTS = 200
CSV = "phone;name;city\n" + "".join(f"+1555{number:07};Ada Lovelace;London\n" for number in range(300))
FORM = ('--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + CSV +
        '\r\n--x\r\nContent-Disposition: form-data; name="overwrite_existing"\r\n\r\ntrue\r\n--x--\r\n')


class Mix:
    """Needs a client, an active agent, and the id of a number."""

    def __init__(self, api, agent, number_id):
        self.key, self.agent, self.number_id = api.key, agent["id"], number_id
        self.connection = http.client.HTTPConnection(api.host, timeout=70)
        self.count = 0

    def close(self):
        self.connection.close()

    def ask(self, method, path, status, body=None, **headers):
        """Sends a request, which must be answered with this status. Returns the reply's data, if it has any."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | headers
        body = body if isinstance(body, str) or body is None else json.dumps(body)
        self.connection.request(method, BASE + path, body, headers)
        reply = self.connection.getresponse()
        text = reply.read()
        self.count += 1
        assert reply.status == status, f"{method} {path}: {reply.status} {text[:500]}"
        if status > 201 or reply.headers["Content-Type"] != "application/json":
            return {"etag": reply.headers["ETag"]}
        return json.loads(text).get("data", {})

    def round(self):
        self._agents()
        self._contacts()
        self._campaign()
        self._refused()

    def _agents(self):
        agent = self.ask("POST", "/agents", 201,
                         {"name": "A", "system_prompt": "x" * 90_000, "settings": {"a": [1] * 999}})
        path = f"/agents/{agent['id']}"
        self.ask("PATCH", path, 200, {"description": "ä" * 5000})
        self.ask("PATCH", path, 412, {"description": "B"}, If_Match='"0"')
        self.ask("GET", path, 200)
        self.ask("DELETE", path, 204)
        for path in ("/agents", "/webhooks", "/telephony/numbers", "/keys", "/do-not-call", "/calls", "/openapi.json"):
            self.ask("GET", path, 200)

    def _contacts(self):
        folder = self.ask("POST", "/contacts/folders", 201, {"name": "F"})["id"]
        self.ask("POST", f"/contacts/import?folder_id={folder}", 200, CSV, Content_Type="text/csv")
        self.ask("POST", f"/contacts/import?folder_id={folder}", 200, FORM,
                 Content_Type="multipart/form-data; boundary=x")
        self.ask("GET", f"/contacts?folder_id={folder}&limit=100&search=ada", 200)
        self.ask("DELETE", f"/contacts/folders/{folder}", 204)

    def _campaign(self):
        body = {"name": "B", "agent_id": self.agent, "phone_number_ids": [self.number_id], "working_days": EVERY_DAY,
                "contacts": contacts(CONTACTS), "scheduled_at": "2035-03-01T09:00:00Z"}
        key = f"{self.count}"
        path = "/batch-calls/" + self.ask("POST", "/batch-calls", 201, body, Idempotency_Key=key)["id"]
        self.ask("POST", "/batch-calls", 201, body, Idempotency_Key=key)
        self.ask("POST", f"{path}/contacts", 201, {"contacts": contacts(CONTACTS, CONTACTS)})
        self.ask("POST", f"{path}/contacts/import", 200, CSV, Content_Type="text/csv")
        self.ask("POST", f"{path}/preview", 200, {"changes": {"max_calls_per_day": 10}})
        self.ask("POST", f"{path}/schedule", 200)
        self.ask("PATCH", path, 200, {"calls_per_minute": 60})
        for _ in range(5):
            self.ask("GET", path, 200)
            self.ask("GET", f"{path}/contacts?limit=100", 200)
            self.ask("GET", f"{path}/contacts/7", 200)
        self.ask("GET", f"{path}/analytics", 200)
        self.ask("GET", f"{path}/results.csv", 200)
        self.ask("POST", f"{path}/cancel", 200)
        self.ask("DELETE", path, 204)

    def _refused(self):
        nobody = "01900000-0000-7000-8000-000000000000"
        self.ask("GET", f"/batch-calls/{nobody}", 404)
        self.ask("GET", "/nothing", 404)
        self.ask("GET", "/agents?limit=x&nonsense=1", 400)
        self.ask("POST", "/agents", 400, "{")
        self.ask("POST", "/agents", 422, {f"field{number}": number for number in range(200)})
        self.ask("POST", "/batch-calls", 422, {"contacts": [{"phone_number": "x"}] * 1000})
        self.ask("POST", "/agents", 415, "x", Content_Type="text/plain")
        self.ask("POST", "/webhooks", 413, " " * 70_000)
        self.ask("PUT", "/agents", 405)
        self.ask("GET", "/agents", 401, Authorization="Bearer nobody")


def resident_kb(pid):
    """Returns the anonymous memory of a process, in kB."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))
