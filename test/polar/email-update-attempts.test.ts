/** How often an address may be changed (§2.7): the numbers of signing in, in a count of its own. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { askForChange, CHECK, newAddress, REQUEST, VERIFY } from "../support/email-change.ts";
import { makeTenant } from "../support/fixtures.ts";
import { someAddress, statuses } from "../support/limiters.ts";
import { makeFaultyClient, makeLink } from "../support/portal.ts";

const at = (address: string) => ({ "CF-Connecting-IP": address });
const six = (status: number) => [...Array(6).fill(status), 429];

test("a holder may ask six times a minute, from wherever, by whichever session, for whichever address", async () => {
  const tenant = await makeTenant({ allow_email_change: 1 });
  const client = makeClient();
  const { owner } = tenant.individual;
  const [first, second] = [await makeLink(client, tenant, owner), await makeLink(client, tenant, owner)];
  let calls = 0;
  const request = () => client.call("POST", REQUEST, (calls++ % 2 ? first : second).token, { email: newAddress() });
  expect(await statuses(7, request)).toEqual(six(202));
  const refused = await request();
  expect(refused.headers.get("Retry-After")).toBe("900");
  expect(refused.headers.has("Content-Type")).toBe(false);
  expect(await refused.text()).toBe("");
  await client.settle();
  expect(client.mailed.filter(({ to }) => to.startsWith("new-"))).toHaveLength(6);
});

test("one mailbox is written to six times a minute, whoever asks", async () => {
  const client = makeClient();
  const tenant = await makeTenant({ allow_email_change: 1, member_model_enabled: 0 });
  const email = newAddress();
  const request = async () => {
    const customer = await client.call("POST", "/v1/customers/", tenant.apiKey, { email: newAddress() });
    const { id } = (await customer.json()) as { id: string };
    const made = await client.call("POST", "/v1/customer-sessions/", tenant.apiKey, { customer_id: id });
    const { token } = (await made.json()) as { token: string };
    return client.call("POST", REQUEST, token, { email: email.toUpperCase() });
  };
  expect(await statuses(7, request)).toEqual(six(202));
});

test("a network may confirm six times a minute, at the API and in the portal; forgeries neither count nor cost", async () => {
  const tenant = await makeTenant({ allow_email_change: 1 });
  const maker = makeClient();
  const { change, path } = await askForChange(maker, tenant);
  const { client, db } = makeFaultyClient(maker.clock);
  const from = at(someAddress());
  const check = (token: string) => client.call("GET", `${CHECK}?token=${token}`, null, undefined, from);
  expect(await statuses(10, () => check(`lk_cev_t${"A".repeat(56)}`))).toEqual(Array(10).fill(401));
  expect(db.count()).toBe(0);
  expect(await statuses(3, () => check(change))).toEqual([204, 204, 204]);
  expect(await statuses(3, () => client.fetch(path, { headers: from }))).toEqual([200, 200, 200]);
  expect((await check(change)).status).toBe(429);
  expect((await client.fetch(path, { headers: from })).status).toBe(429);
  expect((await client.call("POST", VERIFY, null, { token: change }, from)).status).toBe(429);
  expect((await client.call("POST", VERIFY, null, { token: change })).status, "from elsewhere").toBe(200);
});

test("signing in is another count", async () => {
  const tenant = await makeTenant({ allow_email_change: 1 });
  const client = makeClient();
  const { token } = await makeLink(client, tenant, tenant.individual.owner);
  const from = at(someAddress());
  const body = () => ({ email: newAddress(), organization_id: tenant.id });
  const ask = () => client.call("POST", "/v1/customer-portal/customer-session/request", null, body(), from);
  expect(await statuses(7, ask)).toEqual(six(202));
  expect((await client.call("POST", REQUEST, token, { email: newAddress() }, from)).status).toBe(202);
});

test("while the counter cannot be asked nothing is mailed, and nothing changes", async () => {
  const tenant = await makeTenant({ allow_email_change: 1 });
  const maker = makeClient();
  const { token, change } = await askForChange(maker, tenant);
  const { client, db } = makeFaultyClient(maker.clock);
  db.fail(/attempts \(lookup_key/);
  expect((await client.call("POST", REQUEST, token, { email: newAddress() })).status).toBe(503);
  expect((await client.call("POST", VERIFY, null, { token: change })).status).toBe(503);
  expect(client.mailed).toEqual([]);
  db.heal();
  expect((await client.call("POST", VERIFY, null, { token: change })).status).toBe(200);
});
