/** Which addresses are called: no spelling of an inner address gets through. */

import { describe, expect, test } from "vitest";
import { readOutsideUrl } from "../../src/core/outside-url.ts";

test.each([
  "https://id.example.com/.well-known/jwks.json",
  "https://id.example.com:8443/keys?of=us#x",
  "https://id.example.com./keys",
  "https://localhost.example.com/",
  "https://local.example.com/",
  "https://xn--bcher-kva.example/",
  "https://127.0.0.1.example.com/",
  "https://1.2.3.4.5.example/",
])("%s is called, in production and in development", (text) => {
  expect(readOutsideUrl(text, false).href).toBe(new URL(text).href);
  expect(readOutsideUrl(text, true).href).toBe(new URL(text).href);
});

const LOOPBACK = ["http://localhost:9000/", "http://127.0.0.1:9000/", "http://[::1]:9000/", "https://localhost/"];

test.each([
  ...LOOPBACK,
  "http://2130706433/",
  "http://127.1/",
  "http://127.0.1/",
  "http://①②⑦.0.0.1/",
  "http://0x7f.1/",
  "http://LOCALHOST/",
])("%s is called in development only", (text) => {
  expect(readOutsideUrl(text, true).href).toBe(new URL(text).href);
  expect(() => readOutsideUrl(text, false)).toThrow("must be");
});

const INNER: Record<string, string[]> = {
  "private IPv4": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
  "loopback beyond 127.0.0.1": ["127.0.0.2", "127.1.2.3", "0.0.0.0", "0"],
  "loopback in other notations": ["2130706434", "0x7f.0.0.2", "0177.0.0.2", "0x7f000002", "127.0.0.2."],
  "loopback in other digits": ["①②⑦.0.0.2", "127。0。0。2", "%31%32%37.0.0.2"],
  "link-local and metadata": ["169.254.169.254", "0xa9fea9fe", "2852039166", "169.254.1"],
  "carrier-grade NAT and other special ranges": [
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
  ],
  "any numeric address": ["8.8.8.8", "134744072", "[2606:4700:4700::1111]"],
  "IPv6 loopback, link-local, unique-local": ["[::]", "[0:0:0:0:0:0:0:2]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]"],
  "IPv4 in IPv6": ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
  "local names": ["localhost.", "a.localhost", "printer.local", "PRINTER.LOCAL.", "metadata.google.internal"],
  "more local names": ["router.home.arpa", "intranet", "db", "ⓛocalhost.", "printer。local"],
};

describe.each(Object.entries(INNER))("%s", (_, hosts) => {
  test.each(hosts)("%s is refused, in production and in development", (host) => {
    for (const scheme of ["https", "http"]) {
      for (const allowsLoopback of [false, true]) {
        expect(() => readOutsideUrl(`${scheme}://${host}/`, allowsLoopback), scheme).toThrow("must be");
      }
    }
  });
});

test.each([
  ["http", "http://id.example.com/"],
  ["another scheme", "ftp://id.example.com/"],
  ["data", "data:application/json,{}"],
  ["a script", "javascript:alert(1)"],
  ["a file", "file:///etc/passwd"],
  ["a blob", "blob:https://id.example.com/x"],
  ["no URL", "id.example.com/keys"],
  ["a path", "/keys"],
  ["a bad port", "https://id.example.com:99999/"],
  ["nothing", ""],
])("%s is refused", (_, text) => {
  expect(() => readOutsideUrl(text, false)).toThrow("must be an https URL");
});

test.each([
  "https://user@id.example.com/",
  "https://user:password@id.example.com/",
  "https://:password@id.example.com/",
  "http://user@localhost/",
  "https://id.example.com@127.0.0.1/",
])("%s is refused for its user name or password", (text) => {
  expect(() => readOutsideUrl(text, true)).toThrow("no user name or password");
});
