"""Runs a campaign with a client that knows the API only by models.py and api.py, which are generated from the document.
Only what the document describes is a class, an argument or a method."""

import json
import os
import time

import models
from api import Client
from transport import ApiError


def until(ask, holds):
    deadline = time.monotonic() + 30
    while True:
        answer = ask()
        if holds(answer):
            return answer
        assert time.monotonic() < deadline, f"it takes too long; the last answer: {answer}"
        time.sleep(0.05)


def make(kind, **fields):
    """Returns an object of a schema from JSON. It is read, and so checked, like a reply."""
    return getattr(models, f"{kind}_from_dict")(fields)


def new_agent(api, webhook_id):
    agent = api.create_agent(make("agent_create", name="Typed", webhook_id=webhook_id, settings={"a": 1}))
    until(lambda: api.get_agent(agent.id), lambda agent: agent.status == models.AgentStatus.ACTIVE)
    return agent


def campaign(api, agent, number):
    return api.create_batch_call(make(
        "batch_call_create", name="Typed", agent_id=agent.id, phone_number_ids=[number.id],
        working_days=[1, 2, 3, 4, 5, 6, 7], retry_failed=True,
        retry_rules=[{"outcome": "busy", "delay_minutes": 5, "max_attempts": 3}],
        contacts=[{"phone_number": "+12125550101", "custom_fields": {"at": "9:30"}},
                  {"phone_number": "+12125550102", "first_name": "Blaise"}]), idempotency_key=agent.id)


def refusal(ask):
    try:
        ask()
    except ApiError as refused:
        return refused.error.error.code.value
    raise AssertionError("it was not refused")


def run():
    api = Client(os.environ["OUTDIAL_URL"], os.environ["OUTDIAL_API_KEY"])
    agent = new_agent(api, os.environ["WEBHOOK_ID"])
    number = api.import_number(make("number_create", phone_number="+12025550172"))
    batch = campaign(api, agent, number)
    assert campaign(api, agent, number).id == batch.id, "the same idempotency key gave another campaign"
    api.schedule_batch_call(batch.id)
    ended = until(lambda: api.get_batch_call(batch.id), lambda batch: batch.status == models.BatchCallStatus.COMPLETED)
    analytics = api.get_batch_call_analytics(batch.id, interval="hour")
    page = api.list_batch_call_contacts(batch.id, status=["completed"], limit=1)
    print(json.dumps({
        "completed": ended.completed, "refused": refusal(lambda: api.pause_batch_call(batch.id)),
        "attempts": analytics.attempts, "rate": analytics.answer_rate, "first": page[0].phone_number,
        "rule": ended.retry_rules[0].outcome.value, "total": page.pagination.total,
        "rows": len(api.get_batch_call_results(batch.id).rstrip().split("\r\n")),
        "gone": api.delete_batch_call(batch.id), "unknown": refusal(lambda: api.get_batch_call(batch.id))}))


if __name__ == "__main__":
    run()
