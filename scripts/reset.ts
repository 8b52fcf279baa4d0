/**
 * `npm run reset`: removes what the local server has stored, and keeps its keys. Refuses while a server runs on it.
 */

import { existsSync, rmSync } from "node:fs";
import { Refusal, runCommand } from "./command.ts";
import { devDirectory, shownPath } from "./dev-directory.ts";
import { runningServers } from "./running-servers.ts";

await runCommand(async () => {
  const directory = devDirectory();
  const [server] = runningServers(directory);
  if (server !== undefined) {
    throw new Refusal(
      `A server runs on this data (process ${server.pid}, port ${server.port}). Stop it first. ` +
        `If that process is something else, remove ${shownPath(server.file)}.`,
    );
  }
  const present = [directory.state, directory.demoFile].filter((path) => existsSync(path));
  for (const path of present) {
    rmSync(path, { recursive: true });
    console.log(`Removed ${shownPath(path)}`);
  }
  if (present.length === 0) console.log("There is nothing to remove.");
  console.log(`The keys in ${shownPath(directory.varsFile)} stay.`);
});
