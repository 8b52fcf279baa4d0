/**
 * Portal links, cookies and pages in a real Chromium: what a member sees who comes from another site.
 */

import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findChromium, launchChromium, type OtherSite, openOtherSite } from "./support/browser.ts";
import {
  addMember,
  api,
  demo,
  isLive,
  type MemberSession,
  makeOrganization,
  makeTeam,
  type Person,
  signIn,
} from "./support/demo.ts";
import { mailTo } from "./support/mail.ts";

const executable = findChromium();
if (executable === null) {
  console.log("Browser tests are skipped: no Chromium here. Install one, or set CHROMIUM to its path.");
}

const PORTAL = `${demo.base_url}/${demo.organization.slug}/portal`;
const COOKIE = "__Host-lk_session";
/** Requests arrive at once; their answers take `latency`. */
const SLOW_ANSWERS = { offline: false, downloadThroughput: -1, uploadThroughput: -1 };

describe.skipIf(executable === null)("in Chromium", () => {
  let browser: Browser;
  let elsewhere: OtherSite;
  let contexts: BrowserContext[] = [];

  beforeAll(async () => {
    elsewhere = await openOtherSite(demo.base_url);
    browser = await launchChromium(executable as string);
  });
  afterAll(async () => {
    await browser?.close();
    await elsewhere?.close();
  });
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  });

  /** A browser that has never been here. */
  async function freshBrowser(on: Browser = browser): Promise<Page> {
    const context = await on.newContext();
    context.setDefaultTimeout(15_000);
    contexts.push(context);
    return context.newPage();
  }

  /** Follows a link as a member does: by a click on a page of another site. */
  async function follow(page: Page, url: string): Promise<void> {
    await page.goto(elsewhere.publish(`<a href="${url}">To the portal</a>`));
    await page.getByRole("link").click();
    await page.waitForURL(`${demo.base_url}/**`);
  }

  async function makeMember(name: string | null = "Mia Member"): Promise<Person> {
    return addMember((await makeTeam({ customerName: "Acme Ltd" })).id, name);
  }

  async function signedInBrowser(person: Person, on?: Browser): Promise<{ page: Page; session: MemberSession }> {
    const page = await freshBrowser(on);
    const session = await signIn(person.id);
    await follow(page, session.member_portal_url);
    await expectSignedIn(page, person);
    return { page, session };
  }

  async function expectSignedIn(page: Page, person: Person): Promise<void> {
    await page.waitForURL(PORTAL);
    const shown = person.name === null ? person.email : `${person.name} (${person.email})`;
    expect(await page.locator("#identity").textContent()).toBe(shown);
  }

  async function expectDeadLink(page: Page): Promise<void> {
    expect(await page.getByRole("heading").textContent()).toBe("This link no longer works");
  }

  async function cookies(page: Page) {
    return page.context().cookies(demo.base_url);
  }

  test("a click on another site ends on the clean page, with the names and a hardened cookie", async () => {
    const member = await makeMember();
    const { token, member_portal_url } = await signIn(member.id);
    const page = await freshBrowser();
    await follow(page, member_portal_url);
    await expectSignedIn(page, member);
    expect(page.url()).toBe(PORTAL);
    expect(await page.locator("#customer").textContent()).toBe("Acme Ltd");
    expect(await page.locator("#role").textContent()).toBe("member");
    expect(await cookies(page)).toEqual([
      expect.objectContaining({
        name: COOKIE,
        value: token,
        httpOnly: true,
        secure: true,
        sameSite: "Lax",
        path: "/",
        domain: new URL(demo.base_url).hostname,
      }),
    ]);
    const [cookie] = await cookies(page);
    expect(Math.abs((cookie?.expires ?? 0) - (Date.now() / 1000 + 3600))).toBeLessThan(30);
    expect(await page.evaluate(() => document.cookie)).toBe("");
    expect(await page.evaluate(() => document.referrer)).not.toContain("code=");
  });

  test("the link is not in the history: back is the other site, forward the portal", async () => {
    const member = await makeMember();
    const page = await freshBrowser();
    await follow(page, (await signIn(member.id)).member_portal_url);
    await expectSignedIn(page, member);
    const browserSide = await page.context().newCDPSession(page);
    const { entries } = await browserSide.send("Page.getNavigationHistory");
    expect(entries.map(({ url }) => url)).toEqual(["about:blank", expect.stringContaining("/page-"), PORTAL]);
    await page.goBack();
    expect(await page.title()).toBe("Another site");
    await page.goForward();
    await expectSignedIn(page, member);
  });

  test("a reload stays signed in", async () => {
    const member = await makeMember();
    const { page } = await signedInBrowser(member);
    await page.reload();
    await expectSignedIn(page, member);
    const again = await page.context().newPage();
    await again.goto(PORTAL);
    await expectSignedIn(again, member);
  });

  test("the back link shows the host of return_url, leads there and takes no referrer along", async () => {
    const member = await makeMember();
    const returnUrl = elsewhere.publish(
      "<h1>Home</h1><p id=referrer></p><script>referrer.textContent = document.referrer</script>",
    );
    const page = await freshBrowser();
    await follow(page, (await signIn(member.id, { returnUrl })).member_portal_url);
    const back = page.locator("#back");
    expect(await back.textContent()).toBe(`Back to ${new URL(returnUrl).host}`);
    expect(await back.getAttribute("href")).toBe(returnUrl);
    await back.click();
    await page.waitForURL(returnUrl);
    expect(await page.locator("#referrer").textContent()).toBe("");
  });

  test("without a return_url there is no back link", async () => {
    const { page } = await signedInBrowser(await makeMember());
    expect(await page.locator("#back").count()).toBe(0);
  });

  test("a double click on the link ends in the portal", async () => {
    const member = await makeMember();
    const { member_portal_url } = await signIn(member.id);
    const page = await freshBrowser();
    await page.goto(elsewhere.publish(`<a href="${member_portal_url}">To the portal</a>`));
    await page.getByRole("link").dblclick();
    await expectSignedIn(page, member);
  });

  // What happens, not what should: Chromium drops the second click of a double click itself (IgnoreDuplicateNavs), but
  // not one that comes seconds later, and other browsers drop none. They give up the first answer, cookie and all.
  test("a second click before the first answer, where the browser does not drop it, finds the link used up", async () => {
    const asOthers = await launchChromium(executable as string, { without: ["IgnoreDuplicateNavs"] });
    try {
      const { member_portal_url } = await signIn((await makeMember()).id);
      const page = await freshBrowser(asOthers);
      await page.goto(elsewhere.publish(`<a href="${member_portal_url}">To the portal</a>`));
      const network = await page.context().newCDPSession(page);
      await network.send("Network.emulateNetworkConditions", { ...SLOW_ANSWERS, latency: 1800 });
      // By the mouse itself: playwright's own clicks wait for a navigation that is under way.
      await page.getByRole("link").hover();
      for (const clickCount of [1, 2]) {
        await page.mouse.down({ clickCount });
        await page.mouse.up({ clickCount });
        await sleep(1000);
      }
      await page.waitForURL(`${demo.base_url}/**`);
      await expectDeadLink(page);
    } finally {
      await asOthers.close();
    }
  });

  test("the same link again goes on to the portal in the same browser, and is dead in another", async () => {
    const member = await makeMember();
    const { page, session } = await signedInBrowser(member);
    await follow(page, session.member_portal_url);
    await expectSignedIn(page, member);

    const stranger = await freshBrowser();
    const response = await stranger.goto(session.member_portal_url);
    expect(response?.status()).toBe(410);
    await expectDeadLink(stranger);
    expect(await stranger.locator("body").textContent()).not.toContain(member.email);
    expect(await cookies(stranger)).toEqual([]);
  });

  test("a dead link says who is signed in all the same, and leads to the portal", async () => {
    const [other, member] = [await makeMember("Olaf Other"), await makeMember()];
    const { session } = await signedInBrowser(other);
    const { page } = await signedInBrowser(member);
    await follow(page, session.member_portal_url);
    await expectDeadLink(page);
    expect(await page.locator("body").textContent()).not.toContain(other.email);
    await page.getByRole("link", { name: "Go to the portal" }).click();
    await expectSignedIn(page, member);
  });

  test("a link for another person asks first; staying uses nothing up, continuing switches", async () => {
    const [ann, bob] = [await makeMember("Ann"), await makeMember("Bob")];
    const { page, session: annsSession } = await signedInBrowser(ann);
    const bobsSession = await signIn(bob.id);

    await follow(page, bobsSession.member_portal_url);
    expect(await page.getByRole("heading").textContent()).toBe("Switch to another person?");
    expect(await page.locator("#current").textContent()).toBe(`Ann (${ann.email})`);
    expect(await page.locator("#next").textContent()).toBe(`Bob (${bob.email})`);
    await page.getByRole("link", { name: "Stay signed in as Ann" }).click();
    await expectSignedIn(page, ann);

    await follow(page, bobsSession.member_portal_url);
    await page.getByRole("button", { name: "Continue as Bob" }).click();
    await expectSignedIn(page, bob);
    expect((await cookies(page))[0]?.value).toBe(bobsSession.token);
    expect(await isLive(annsSession.token)).toBe(true);

    // Back over the question, whose link is spent now: no dead end.
    await page.goBack();
    await expectSignedIn(page, bob);
  });

  test("a message signs in by its link: opened by a scanner before, and then by a click and a button", async () => {
    const member = await makeMember();
    const page = await freshBrowser();
    await page.goto(`${PORTAL}?customer_session_token=dead&email=${encodeURIComponent(member.email)}`);
    await expectDeadLink(page);
    expect(await page.getByLabel("Your e-mail address").inputValue()).toBe(member.email);
    await page.getByRole("button", { name: "Send me a code" }).click();
    await page.getByRole("heading", { name: "Check your e-mail" }).waitFor();
    const url = /^http\S+$/m.exec(await mailTo(member.email))?.[0] as string;

    const scanner = await freshBrowser();
    await scanner.goto(url);
    expect(await scanner.locator("#next").textContent()).toContain(member.email);
    expect(await cookies(scanner)).toEqual([]);

    await follow(page, url);
    await page.getByRole("button", { name: "Continue" }).click();
    await expectSignedIn(page, member);
    await follow(page, url);
    await expectSignedIn(page, member);
    await scanner.getByRole("button", { name: "Continue" }).click();
    await expectDeadLink(scanner);
  });

  test("a message signs in by its code, typed small and without the hyphen, after a slip", async () => {
    const member = await makeMember();
    const page = await freshBrowser();
    await page.goto(`${PORTAL}/sign-in`);
    await page.getByLabel("Your e-mail address").fill(member.email.toUpperCase());
    await page.keyboard.press("Enter");
    await page.getByLabel("Code").fill("2345 6789");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "That code is not right, or no longer works" }).waitFor();
    const code = /^[2-9A-Z]{4}-[2-9A-Z]{4}$/m.exec(await mailTo(member.email))?.[0] as string;
    await page.getByLabel("Code").fill(code.toLowerCase().replace("-", ""));
    await page.getByRole("button", { name: "Sign in" }).click();
    await expectSignedIn(page, member);
  });

  test("the button ends the session: signed out here, refused everywhere, no names on Back", async () => {
    const asPeopleHaveIt = await launchChromium(executable as string, { withBackForwardCache: true });
    try {
      const member = await makeMember();
      const { page, session } = await signedInBrowser(member, asPeopleHaveIt);
      const notSignedIn = page.getByRole("heading", { name: "You are not signed in" });
      await page.getByRole("button", { name: "Sign out" }).click();
      await notSignedIn.waitFor();
      expect(page.url()).toBe(PORTAL);
      expect(await cookies(page)).toEqual([]);
      expect(await isLive(session.token)).toBe(false);

      await page.goBack({ waitUntil: "commit" });
      await notSignedIn.waitFor();
      expect(await page.locator("body").textContent()).not.toContain(member.email);
    } finally {
      await asPeopleHaveIt.close();
    }
  });

  test("another site's form cannot sign a member out", async () => {
    const member = await makeMember();
    const { page, session } = await signedInBrowser(member);
    const form = `<form method="post" action="${PORTAL}/sign-out"></form><script>document.forms[0].submit()</script>`;
    const refused = page.waitForResponse(`${PORTAL}/sign-out`);
    await page.goto(elsewhere.publish(form));
    expect((await refused).status()).toBe(403);
    expect(await isLive(session.token)).toBe(true);
    await page.goto(PORTAL);
    await expectSignedIn(page, member);
  });

  test("another site's form cannot use a link up or plant its session", async () => {
    const attacker = await makeMember("Mallory");
    const { member_portal_url } = await signIn(attacker.id);
    const code = new URL(member_portal_url).searchParams.get("code") as string;
    const page = await freshBrowser();
    const form = `<form method="post" action="${PORTAL}"><input name="code" value="${code}"></form>`;
    const refused = page.waitForResponse(PORTAL);
    await page.goto(elsewhere.publish(`${form}<script>document.forms[0].submit()</script>`));
    expect((await refused).status()).toBe(403);
    expect(await cookies(page)).toEqual([]);
    await follow(page, member_portal_url);
    await expectSignedIn(page, attacker);
  });

  test("names full of markup are only text, and the pages obey their own content policy", async () => {
    const hostile = `<img src=x onerror=alert(1)> "' & </title></dd><script>alert(2)</script>`;
    const team = await makeTeam({ customerName: `${hostile} Ltd`, ownerName: hostile });
    const [member, other] = [await addMember(team.id, hostile), await addMember(team.id, `'"><b>Bob`)];
    const page = await freshBrowser();
    const complaints: string[] = [];
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));

    const returnUrl = 'https://example.com/"><script>alert(3)</script>?q=\'"#<b>';
    const session = await signIn(member.id, { returnUrl });
    await follow(page, session.member_portal_url);
    await expectSignedIn(page, member);
    expect(await page.locator("#customer").textContent()).toBe(`${hostile} Ltd`);
    expect(await page.locator("#back").textContent()).toBe("Back to example.com");
    expect(await page.locator("img, script, dd b").count()).toBe(0);
    expect(await page.locator("body").evaluate((body) => getComputedStyle(body).display)).toBe("grid");

    await follow(page, (await signIn(other.id)).member_portal_url);
    expect(await page.locator("#next").textContent()).toBe(`'"><b>Bob (${other.email})`);
    expect(await page.locator("img, script, main b").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("Chromium holds the pages to their policy: an injected script or style does nothing", async () => {
    const { page } = await signedInBrowser(await makeMember());
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      document.body.append(script);
      return document.title;
    });
    expect(ran).not.toBe("owned");
    const reached = await page.evaluate(() =>
      fetch("/v1/customer-portal/customer-session/introspect").then(
        () => true,
        () => false,
      ),
    );
    expect(reached).toBe(false);
  });

  test.each(["customer_session_token", "member_session_token"])(
    "%s in the URL signs in and leaves the URL",
    async (name) => {
      const member = await makeMember();
      const { token } = await signIn(member.id);
      const page = await freshBrowser();
      await follow(page, `${PORTAL}?${new URLSearchParams({ [name]: token, email: member.email })}`);
      await expectSignedIn(page, member);
      expect((await cookies(page))[0]?.value).toBe(token);
      await page.goBack();
      expect(await page.title()).toBe("Another site");
    },
  );

  test("HEAD, a plain GET, fetch(), a frame and a prefetch use nothing up", async () => {
    const member = await makeMember();
    const { member_portal_url } = await signIn(member.id);
    expect((await fetch(member_portal_url, { method: "HEAD" })).status).toBe(200);
    const plain = await fetch(member_portal_url);
    expect(await plain.text()).toContain("Continue");
    expect(plain.headers.get("Set-Cookie")).toBeNull();

    const page = await freshBrowser();
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url() === member_portal_url) asked.push(`${request.method()} ${request.resourceType()}`);
    });
    await page.goto(
      elsewhere.publish(
        `<link rel="prefetch" href="${member_portal_url}"><iframe src="${member_portal_url}"></iframe>`,
      ),
    );
    // Answered, but withheld from the other site's script.
    for (const method of ["GET", "HEAD"]) {
      const outcome = await page.evaluate(
        ([url, method]) => fetch(url, { method, mode: "no-cors", credentials: "include" }).catch(String),
        [member_portal_url, method] as const,
      );
      expect(outcome).toBe("TypeError: Failed to fetch");
    }
    expect(asked).toEqual(["GET other", "GET document", "GET fetch", "HEAD fetch"]);
    expect(await cookies(page)).toEqual([]);

    await follow(page, member_portal_url);
    await expectSignedIn(page, member);
  });

  test("without a session the portal says so, and at an unknown address that nobody is there", async () => {
    const page = await freshBrowser();
    expect((await page.goto(PORTAL))?.status()).toBe(401);
    expect(await page.getByRole("heading").textContent()).toBe("You are not signed in");
    expect((await page.goto(`${demo.base_url}/no-such-organization/portal`))?.status()).toBe(404);
    expect(await page.getByRole("heading").textContent()).toBe("Page not found");
  });

  test("a link in Polar's own form signs in at its organization's portal, and only there", {
    timeout: 60_000,
  }, async () => {
    const { slug, apiKey } = await makeOrganization("other-tenant", "--portal-link", "token");
    const team = await makeTeam({ apiKey });
    const stranger = await addMember(team.id, "Stella Stranger", apiKey);
    const { token, member_portal_url } = await signIn(stranger.id, { apiKey });
    const theirPortal = `${demo.base_url}/${slug}/portal`;
    const query = new URLSearchParams({ member_session_token: token, email: stranger.email });
    expect(member_portal_url).toBe(`${theirPortal}?${query}`);

    const page = await freshBrowser();
    await follow(page, member_portal_url.replace(`/${slug}/`, `/${demo.organization.slug}/`));
    await expectDeadLink(page);
    await follow(page, member_portal_url);
    await page.waitForURL(theirPortal);
    expect(await page.locator("#identity").textContent()).toBe(`Stella Stranger (${stranger.email})`);

    // Not signed in here, and still signed in there.
    await page.goto(PORTAL);
    expect(await page.getByRole("heading").textContent()).toBe("You are not signed in");
    await page.goto(theirPortal);
    expect(await page.locator("#identity").count()).toBe(1);
  });

  test("a session ended elsewhere is over on the next click", async () => {
    const { page, session } = await signedInBrowser(await makeMember());
    await api("DELETE", `/v1/member-sessions/${session.id}`);
    await page.reload();
    expect(await page.getByRole("heading").textContent()).toBe("You are not signed in");
  });
});
