/** Cookie headers as browsers, proxies and attackers send them: only the one exact cookie is a session. */

import { expect, test } from "vitest";
import { makeClient } from "../support/client.ts";
import { makeTenant } from "../support/fixtures.ts";
import { follow, makeLink, pageStatus } from "../support/portal.ts";

const NAME = "__Host-lk_session";
const crowd = (count: number) => Array.from({ length: count }, (_, index) => `c${index}=${index}`).join("; ");

/** @ stands for a live token. */
const SIGNED_IN: [string, string][] = [
  ["alone", `${NAME}=@`],
  ["between others", `a=1; ${NAME}=@; b=2`],
  ["without blanks after the semicolons", `a=1;${NAME}=@;b=2`],
  ["among 180 others", `${crowd(90)}; ${NAME}=@; ${crowd(90)}`],
  ["after 32 KB of other cookies", `big=${"x".repeat(32_768)}; ${NAME}=@`],
  ["with blanks and tabs around name and value", `\t ${NAME} \t= \t@ \t`],
  ["twice with the same value", `${NAME}=@; ${NAME}=@`],
  ["beside one whose name differs in case", `${NAME.toLowerCase()}=other; ${NAME}=@`],
  ["beside one whose name begins with a no-break space", `\u00a0${NAME}=other; ${NAME}=@`],
  ["beside one whose name is longer", `${NAME}x=other; x${NAME}=other; ${NAME}=@`],
  ["beside a value without a name that looks like it", `${NAME}x; ${NAME}; ${NAME}=@`],
  ["beside empty pairs", `;;; ; =; =v; ${NAME}=@;`],
  ["beside a cookie named like a property of every object", `__proto__=x; constructor=y; toString=z; ${NAME}=@`],
];

test.each(SIGNED_IN)("the session cookie is recognised %s", async (_, header) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token } = await makeLink(client, tenant);
  expect(await pageStatus(client, tenant, header.replaceAll("@", token))).toBe(200);
});

const NOT_SIGNED_IN: [string, string][] = [
  ["no cookie of this name", "a=1; b=2"],
  ["an empty header", ""],
  ["semicolons only", ";;;"],
  ["an empty value", `${NAME}=`],
  ["the token without a name", "@"],
  ["the token under an empty name", "=@"],
  ["the name without its prefix", "lk_session=@"],
  ["the prefix in lower case", "__host-lk_session=@"],
  ["the prefix in upper case", "__HOST-lk_session=@"],
  ["the name in another case", "__Host-LK_SESSION=@"],
  ["the weaker prefix", "__Secure-lk_session=@"],
  ["a no-break space before the name", `\u00a0${NAME}=@`],
  ["a no-break space after the name", `${NAME}\u00a0=@`],
  ["an ideographic space before the name", `\u3000${NAME}=@`],
  ["a byte order mark before the name", `\ufeff${NAME}=@`],
  ["a vertical tab before the name", `\v${NAME}=@`],
  ["a no-break space after the value", `${NAME}=@\u00a0`],
  ["an ideographic space before the value", `${NAME}=\u3000@`],
  ["the name percent-encoded", "%5f%5fHost-lk_session=@"],
  ["the value in double quotes", `${NAME}="@"`],
  ["the value in single quotes", `${NAME}='@'`],
  ["a comma instead of a semicolon, as two Cookie headers are joined", `a=1, ${NAME}=@`],
  ["something after the value", `${NAME}=@,x`],
  ["a second equals sign", `${NAME}==@`],
  ["an encoded NUL after the value", `${NAME}=@%00`],
  ["an encoded line break after the value", `${NAME}=@%0d%0a`],
  ["the token twice in a row", `${NAME}=@@`],
  ["two different values, the live one first", `${NAME}=@; ${NAME}=other`],
  ["two different values, the live one last", `${NAME}=other; ${NAME}=@`],
  ["the live one among empty ones", `${NAME}=; ${NAME}=@`],
  ["a hundred different values", `${Array.from({ length: 100 }, (_, i) => `${NAME}=${i}`).join("; ")}; ${NAME}=@`],
];

test.each(NOT_SIGNED_IN)("nobody is signed in by %s", async (_, header) => {
  const tenant = await makeTenant();
  const client = makeClient();
  const { token } = await makeLink(client, tenant);
  const response = await follow(client, `/${tenant.slug}/portal`, header.replaceAll("@", token));
  expect(response.status).toBe(401);
  const sub = await client.fetch(`/v1/forward-auth?organization=${tenant.slug}`, {
    headers: { Cookie: header.replaceAll("@", token) },
  });
  expect(sub.status).toBe(401);
});

test("two live sessions in one header, of one member even, are no session", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const [one, two] = [await makeLink(client, tenant), await makeLink(client, tenant)];
  expect(await pageStatus(client, tenant, `${NAME}=${one.token}; ${NAME}=${two.token}`)).toBe(401);
});

test("a header full of blanks is read in no time", async () => {
  const tenant = await makeTenant();
  const client = makeClient();
  const startedAt = performance.now();
  for (const filler of [" ", "\t", ";", "=", "a", " ;", "a ="]) {
    const header = `x${filler.repeat(100_000)}y=1; ${NAME}${filler.repeat(10_000)}z`;
    expect(await pageStatus(client, tenant, header)).toBe(401);
  }
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
