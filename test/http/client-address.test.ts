/** One name for each network, however its address is written; whoever has none shares one. */

import { HonoRequest } from "hono/request";
import { describe, expect, test } from "vitest";
import { clientNetwork, networkOf } from "../../src/http/client-address.ts";

const from = (headers: Record<string, string>) =>
  clientNetwork(new HonoRequest(new Request("https://portal.test/", { headers })));

describe("the network of an address", () => {
  test("is the same for each spelling of it", () => {
    const spellings = [
      "2001:db8:0:12::7",
      "2001:DB8:0:12::7",
      "2001:0db8:0000:0012:0000:0000:0000:0007",
      "2001:db8:0:12:0:0:0:7",
      "2001:db8::12:0:0:0:7",
      "2001:db8:0:12::0.0.0.7",
    ];
    expect(spellings.map(networkOf)).toEqual(spellings.map(() => "2001:db8:0:12::/64"));
  });

  test("is the same for 200 addresses of one /64, and another for each /64", () => {
    const within = Array.from({ length: 200 }, (_, i) => `2a02:8071:5::${i.toString(16)}:${(i * 257).toString(16)}`);
    expect(new Set(within.map(networkOf))).toEqual(new Set(["2a02:8071:5:0::/64"]));
    const neighbours = Array.from({ length: 200 }, (_, i) => `2a02:8071:5:${i.toString(16)}::1`);
    expect(new Set(neighbours.map(networkOf)).size).toBe(200);
  });

  test.each([
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["fe80::1:2:3:4", "fe80:0:0:0::/64"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
  ])("of %s is %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  test("of IPv4 is the whole address, also when it is mapped into IPv6", () => {
    const spellings = ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "0:0:0:0:0:ffff:203.0.113.7"];
    expect(spellings.map(networkOf)).toEqual(spellings.map(() => "203.0.113.7"));
    expect(networkOf("203.0.113.8")).not.toBe(networkOf("203.0.113.7"));
    expect(networkOf("::ffff:0.0.0.1")).toBe("0.0.0.1");
    expect(networkOf("::203.0.113.7"), "which is not mapped").toBe("0:0:0:0::/64");
  });

  test.each([
    "",
    " ",
    "unknown",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1::2::3",
    "12345::1",
    "::1]/x[::",
    "::1%eth0",
    "x:y",
  ])("of %j is the one that all share who have none", (address) => {
    expect(networkOf(address)).toBe("unknown");
  });
});

describe("the network of a request", () => {
  test("comes from CF-Connecting-IP and from no other header", () => {
    const spoofed = {
      Forwarded: "for=198.51.100.1",
      "X-Forwarded-For": "198.51.100.2, 198.51.100.3",
      "X-Real-IP": "198.51.100.4",
      "True-Client-IP": "198.51.100.5",
      "X-Client-IP": "198.51.100.6",
      "CF-Connecting-IPv6": "2001:db8::1",
      "CF-Pseudo-IPv4": "198.51.100.7",
    };
    expect(from({ ...spoofed, "CF-Connecting-IP": "203.0.113.7" })).toBe("203.0.113.7");
    expect(from(spoofed)).toBe("unknown");
    expect(from({})).toBe("unknown");
  });
});
