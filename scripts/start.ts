/**
 * `npm start`: from a fresh clone to a running server with a demo organization, an API key and a portal link to click.
 * PORT and LATCHKEY_DEV_DIR choose another port and another place for its data. Ctrl-C ends it with all that it started.
 */

import { join } from "node:path";
import { banner } from "./banner.ts";
import { Refusal, runCommand } from "./command.ts";
import { applyMigrations, localDatabase } from "./database.ts";
import { type Demo, readDemoApiKey, writeDemo } from "./demo-file.ts";
import { linkMember, makePortalLink } from "./demo-link.ts";
import { type DemoOrganization, ensureDemoOrganization } from "./demo-organization.ts";
import { type DevDirectory, devDirectory, makeDevDirectory, shownPath } from "./dev-directory.ts";
import { type DevServer, startDevServer } from "./dev-server.ts";
import { credentialsOf, ensureKeys } from "./local-keys.ts";
import { readPort, requireFreePort } from "./port.ts";
import { killAll, processTree } from "./process-tree.ts";
import { forgetServer, noteServer, runningServers } from "./running-servers.ts";

await runCommand(async () => {
  const port = readPort(process.env["PORT"]);
  await requireFreePort(port);

  const directory = unusedDirectory(port);
  makeDevDirectory(directory);
  noteServer(directory, port, [process.pid]);
  try {
    const organization = await prepare(directory);
    await serve(directory, port, organization);
  } finally {
    forgetServer(directory, port);
  }
});

/** Two servers that write to one local database fail at random (SQLITE_BUSY), so a second one gets its own. */
function unusedDirectory(port: number): DevDirectory {
  const directory = devDirectory();
  // A note for our own port is stale, for that port is free: another program has been given the old process id.
  const other = runningServers(directory).find((server) => server.port !== port);
  if (other === undefined) return directory;
  const own = devDirectory(join(directory.path, `port-${port}`));
  console.log(`The data in ${shownPath(directory.path)} is in use by the server on port ${other.port}.`);
  console.log(`This server gets its own, in ${shownPath(own.path)}.`);
  return own;
}

async function prepare(directory: DevDirectory): Promise<DemoOrganization> {
  const { made } = ensureKeys(directory.varsFile);
  if (made) console.log(`Made keys in ${shownPath(directory.varsFile)}.`);
  console.log("Preparing the local database …");
  const database = localDatabase(directory);
  await applyMigrations(database);
  const credentials = credentialsOf(directory.varsFile);
  return ensureDemoOrganization(database, credentials, readDemoApiKey(directory.demoFile));
}

async function serve(directory: DevDirectory, port: number, organization: DemoOrganization): Promise<void> {
  console.log("Starting the Worker …");
  const server = startDevServer(directory, port);
  noteServer(directory, port, [process.pid, server.pid]);
  // The last resort, should this script fail in a way that nobody foresaw.
  process.once("exit", () => server.isRunning() && killAll(processTree(server.pid)));
  const askedToStop = stopSignal();
  try {
    await Promise.race([askedToStop, announce(server, directory, organization)]);
    const reason = await Promise.race([askedToStop, server.ended]);
    if (reason !== "asked to stop") throw new Refusal("wrangler dev has ended by itself.");
  } catch (error) {
    console.error(server.heldBackOutput());
    throw error;
  } finally {
    await server.stop();
  }
}

async function announce(server: DevServer, directory: DevDirectory, organization: DemoOrganization): Promise<void> {
  const member = linkMember(organization);
  await server.ready();
  const portalUrl = member && (await makePortalLink(server.baseUrl, organization.api_key, member));
  const demo: Demo = { base_url: server.baseUrl, ...organization, portal_url: portalUrl };
  writeDemo(directory.demoFile, demo);
  console.log(banner(demo, member, shownPath(directory.demoFile)));
  server.passOutputOn();
}

function stopSignal(): Promise<"asked to stop"> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve("asked to stop"));
  });
}
