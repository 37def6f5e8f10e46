"""Drives an agent through a client for Python, once waiting for each call and once with asyncio.

Usage: client.py HOST PORT. The agent has no policies at the start, and has none at the end.
"""

import asyncio
import inspect
import sys
import tempfile
from pathlib import Path

from opa_client.errors import DeleteDataError, DeletePolicyError, PatchDataError, PolicyNotFoundError, RegoParseError
from opa_client.opa import OpaClient
from opa_client.opa_async import AsyncOpaClient

POLICY = """package shop

default allow := false

allow if data.users[input.user].role == "clerk"

names contains name if some name, _ in data.users
"""

OLD_POLICY = """package old

default allow = false

allow { input.user == "bob" }
"""


async def settled(answer):
    """The answer itself, whichever of the two clients gave it."""
    return await answer if inspect.isawaitable(answer) else answer


async def refused(call, kind):
    """The error of a call that has to fail."""
    try:
        await settled(call())
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


async def health(client):
    assert await settled(client.wait_for_ready()) is True
    assert await settled(client.check_connection()) is True
    assert await settled(client.check_health()) is True
    assert await settled(client.check_health({"bundles": True, "plugins": True})) is True


async def policies(client):
    assert await settled(client.update_policy_from_string(POLICY, "shop")) is True
    assert await settled(client.get_policies_list()) == ["shop"]
    assert (await settled(client.get_policy("shop")))["result"]["raw"] == POLICY
    info = await settled(client.get_policies_info())
    assert info["shop"]["path"].endswith("/v1/data/shop"), info
    assert sorted(url.rsplit("/", 1)[1] for url in info["shop"]["rules"]) == ["allow", "names"], info
    with tempfile.TemporaryDirectory() as folder:
        assert await settled(client.policy_to_file("shop", path=folder, filename="shop.rego")) is True
        assert Path(folder, "shop.rego").read_text() == POLICY
        assert await settled(client.update_policy_from_file(str(Path(folder, "shop.rego")), "shop")) is True


async def policies_of_former_rego(client):
    # The client rewrites the policy once the agent has refused it in the words that OPA uses.
    assert await settled(client.update_policy_from_string(OLD_POLICY, "old")) is True
    assert (await settled(client.query_rule({"user": "bob"}, "old", "allow")))["result"] is True
    assert await settled(client.delete_policy("old")) is True


async def data(client):
    users = {"alice": {"role": "customer"}, "bob": {"role": "clerk"}}
    assert await settled(client.update_or_create_data(users, "users")) is True
    assert (await settled(client.get_data("users")))["result"] == users
    patch = [{"op": "add", "path": "/carol", "value": {"role": "clerk"}}]
    assert await settled(client.patch_data("users", patch)) is True
    assert (await settled(client.get_data("users/carol/role")))["result"] == "clerk"


async def decisions(client):
    allowed = await settled(client.query_rule({"user": "carol"}, "shop", "allow", {"metrics": True}))
    assert allowed["result"] is True and "timer_rego_query_eval_ns" in allowed["metrics"], allowed
    assert (await settled(client.query_rule({"user": "alice"}, "shop")))["result"]["allow"] is False
    answer = await settled(client.ad_hoc_query("data.shop.names[name]", query_params={"pretty": True}))
    assert [row["name"] for row in answer["result"]] == ["alice", "bob", "carol"], answer
    inputs = {"one": {"user": "alice"}, "two": {"user": "bob"}}
    assert await settled(client.bulk_query_rule(inputs, "shop", "allow")) == {"one": False, "two": True}


async def refusals(client):
    error = await refused(lambda: client.update_policy_from_string("package", "broken", False), RegoParseError)
    assert "unexpected eof token" in str(error), error
    await refused(lambda: client.get_policy("nobody"), PolicyNotFoundError)
    await refused(lambda: client.delete_policy("nobody"), DeletePolicyError)
    await refused(lambda: client.get_data("nobody"), PolicyNotFoundError)
    await refused(lambda: client.delete_data("nobody"), DeleteDataError)
    await refused(lambda: client.patch_data("users", [{"op": "remove", "path": "/nobody"}]), PatchDataError)


async def management(client):
    assert (await settled(client.get_config()))["result"]["labels"]["region"] == "interop"
    assert "http_request_duration_seconds" in await settled(client.get_metrics())
    assert "plugins" in (await settled(client.get_status()))["result"]


async def the_end(client):
    assert await settled(client.delete_data("users")) is True
    assert await settled(client.delete_policy("shop")) is True
    assert await settled(client.get_policies_list()) == []


STEPS = [health, policies, policies_of_former_rego, data, decisions, refusals, management, the_end]


async def main(host, port):
    with OpaClient(host=host, port=port) as client:
        for step in STEPS:
            await step(client)
            print(f"passed: {step.__name__}")
    async with AsyncOpaClient(host=host, port=port) as client:
        for step in STEPS:
            await step(client)
            print(f"passed: {step.__name__}, asynchronous")


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
