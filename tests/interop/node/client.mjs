// Drives an agent through OPA's own client for JavaScript. Usage: node client.mjs URL
// The agent has the policy of the test beside this file.

import assert from "node:assert/strict";
import { OPAClient } from "@open-policy-agent/opa";

const url = process.argv[2];
const client = new OPAClient(url, { headers: { "X-Request": "interop" } });

const steps = {
  async "a decision with input"() {
    assert.equal(await client.evaluate("shop/allow", { user: "alice", action: "buy" }), true);
    assert.equal(await client.evaluate("shop/allow", { user: "mallory", action: "buy" }), false);
  },

  async "a decision without input"() {
    assert.deepEqual(await client.evaluate("shop/roles"), { alice: ["customer"], bob: ["clerk"] });
  },

  async "an input that converts itself"() {
    const input = { toInput: () => ({ user: "alice", action: "buy" }) };
    assert.equal(await client.evaluate("shop/allow", input), true);
  },

  async "an answer that is converted"() {
    const decide = { fromResult: (result) => result.reason };
    assert.equal(await client.evaluate("shop/explained", { user: "bob" }, decide), "clerk");
  },

  async "a path with names that have to be escaped"() {
    assert.equal(await client.evaluate("shop/rules/a%2Fb"), 1);
  },

  async "a document that is undefined"() {
    assert.equal(await client.evaluate("shop/nothing", {}), undefined);
  },

  async "the default decision"() {
    assert.deepEqual(await client.evaluateDefault({ user: "bob" }), { greeting: "hello bob" });
  },

  async "an error of the evaluation"() {
    await assert.rejects(client.evaluate("shop/conflict", { user: "bob" }), (error) => {
      assert.equal(error.code, "internal_error");
      assert.match(error.message, /error\(s\) occurred while evaluating query/);
      assert.equal(error.errors[0].code, "eval_conflict_error");
      return true;
    });
  },

  async "many inputs"() {
    const inputs = { a: { user: "alice", action: "buy" }, b: { user: "bob", action: "buy" } };
    assert.deepEqual(await client.evaluateBatch("shop/allow", inputs), { a: true, b: false });
  },

  async "many inputs of which some fail"() {
    const outcome = await client.evaluateBatch("shop/mixed", { good: { n: 1 }, bad: { n: 0 } });
    assert.equal(outcome.good, 1);
    assert.equal(outcome.bad.code, "internal_error");
    assert.equal(outcome.bad.httpStatusCode, "500");
    const strict = { rejectMixed: true };
    await assert.rejects(client.evaluateBatch("shop/mixed", { good: { n: 1 }, bad: { n: 0 } }, strict));
  },
};

for (const [name, step] of Object.entries(steps)) {
  await step();
  console.log(`passed: ${name}`);
}
