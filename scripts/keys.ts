/**
 * `npm run keys`: makes, rotates and retires token keys, and the keys of session JWTs. A Worker's secrets cannot be read
 * back, so the keys live in a vars file and are uploaded from there. Shows names and fingerprints, never material.
 */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Refusal, runCommand, WrongArguments } from "./command.ts";
import { type Database, localDatabase } from "./database.ts";
import { devDirectory, shownPath } from "./dev-directory.ts";
import { readJwtKeys, setJwtKeys } from "./jwt-key-file.ts";
import { announceNextKey, describeJwtKeys, dropJwtKey, rotateJwtKeys } from "./jwt-key-list.ts";
import { uploadJwtKeys } from "./jwt-key-upload.ts";
import { withFirstKeys } from "./local-keys.ts";
import { readIfThere, writePrivateFile } from "./private-file.ts";
import { serversBehind } from "./running-servers.ts";
import { fingerprint, readTokenKeys, retireTokenKey, rotateTokenKeys } from "./token-key-list.ts";
import { uploadTokenKeys } from "./token-key-upload.ts";
import { requireUnused } from "./token-key-use.ts";
import { readVariable, setVariable } from "./vars-file.ts";

const USAGE = `Usage: npm run keys -- [command] [options]

  (no command)    make the first token key and the first JWT key, where there is none
  list            names and fingerprints; the first token key signs, all verify
  rotate          a new token key in front; what the others signed stays valid
  retire <name>   remove a token key that nothing alive is signed with
  rotate-jwt      a next JWT key: published at once, it signs a day later by itself
  drop-jwt <kid>  in an emergency: nothing that this JWT key signed is taken any more

  --file <path>   where the keys are kept; the local server's if not given.
                  For production: --file .keys/production.vars
  --upload        also give them to the deployed Worker, as its secrets
  --remote        retire: look for what is alive in the deployed database
  --local         retire: look in the local one (needed with --file only)`;

/** Of which kind the keys are that a command changes, and so those that an upload after it takes along. */
const COMMANDS = {
  make: ["token", "jwt"],
  list: ["token", "jwt"],
  rotate: ["token"],
  retire: ["token"],
  "rotate-jwt": ["jwt"],
  "drop-jwt": ["jwt"],
} as const;
type Command = keyof typeof COMMANDS;
const NAMED: Command[] = ["retire", "drop-jwt"];

const DROPPED = `From the Worker's next start (local) or upload (deployed) on, what that key signed refreshes no session. Sessions and
their tokens live on. A verifier that has the key in memory takes its JWTs until it fetches the keys again: 5 minutes
(Python), 10 minutes (Node), an hour (Go). To one that does not know the key that signs now, its JWTs are unknown until
then: Node and Go ask the Worker instead, Python fails for up to 30 seconds.`;

await runCommand(async () => {
  const asked = readArguments();
  const { command, file, upload } = asked;
  const directory = devDirectory();
  const text = readIfThere(file) ?? "";
  const edited = await edit(text, asked);
  const isLocal = resolve(file) === directory.varsFile;
  // The local server publishes them at its next start; a deployed one at the upload.
  const current = isLocal ? announced(edited) : edited;
  if (current !== text) writePrivateFile(file, current);
  console.log(`${shownPath(file)}\n${describe(current)}`);
  if (command === "drop-jwt") console.log(DROPPED);
  if (upload) return uploadKeys(file, current, COMMANDS[command]);
  if (current === text) return;
  console.log("A Worker has them from its next start (local) or upload (deployed) on.");
  if (isLocal) for (const hint of serversBehind(directory)) console.log(hint);
}, USAGE);

interface Asked {
  command: Command;
  name: string;
  file: string;
  database: Database | null;
  upload: boolean;
}

/** The text of the vars file as the command wants it. */
async function edit(text: string, { command, name, file, database }: Asked): Promise<string> {
  if (command === "make") return withFirstKeys(text);
  const none = () => new Refusal(`There are no such keys in ${shownPath(file)}. "npm run keys" makes the first.`);
  if (command === "rotate-jwt" || command === "drop-jwt") {
    const keys = readJwtKeys(text);
    if (keys === null) throw none();
    const now = Date.now();
    return setJwtKeys(text, command === "rotate-jwt" ? rotateJwtKeys(keys, now) : dropJwtKey(keys, name, now));
  }
  const tokenKeys = readVariable(text, "TOKEN_KEYS");
  if (tokenKeys === null) throw none();
  if (command === "list") return text;
  if (command === "rotate") return setVariable(text, "TOKEN_KEYS", rotateTokenKeys(tokenKeys));
  const remaining = retireTokenKey(tokenKeys, name);
  if (database === null) {
    throw new Refusal(`Which database do the keys in ${shownPath(file)} serve? Say --remote or --local.`);
  }
  await requireUnused(database, name);
  return setVariable(text, "TOKEN_KEYS", remaining);
}

function announced(text: string): string {
  const keys = readJwtKeys(text);
  return keys?.next?.signsFrom === null ? setJwtKeys(text, announceNextKey(keys, Date.now())) : text;
}

/**
 * A next key counts as published from its upload on. So it gets its time with the upload, and in the file only after it:
 * where that fails or is interrupted, the next attempt gives it another, later one.
 */
async function uploadKeys(file: string, text: string, kinds: readonly ("token" | "jwt")[]): Promise<void> {
  const current = announced(text);
  const jwtKeys = readJwtKeys(current);
  if (kinds.includes("jwt") && jwtKeys !== null) {
    await uploadJwtKeys(jwtKeys);
    if (current !== text) {
      writePrivateFile(file, current);
      console.log(describe(current));
    }
  }
  const tokenKeys = readVariable(text, "TOKEN_KEYS");
  if (kinds.includes("token") && tokenKeys !== null) await uploadTokenKeys(tokenKeys);
}

function readArguments(): Asked {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      file: { type: "string" },
      upload: { type: "boolean", default: false },
      remote: { type: "boolean", default: false },
      local: { type: "boolean", default: false },
    },
  });
  const [word = "make", name = "", ...rest] = positionals;
  const command = (Object.keys(COMMANDS) as Command[]).find((known) => known === word);
  if (command === undefined) throw new WrongArguments(`There is no command "${word}".`);
  if (rest.length > 0 || NAMED.includes(command) !== (name !== "")) {
    throw new WrongArguments(`${command} takes ${NAMED.includes(command) ? "one name" : "no name"}.`);
  }
  if (values.remote && values.local) throw new WrongArguments("--remote and --local exclude each other.");
  if (values.upload && values.local) {
    throw new WrongArguments("--local and --upload exclude each other: the upload is for the deployed Worker.");
  }
  if (values.upload && values.file === undefined) {
    throw new WrongArguments("--upload needs --file: a deployed Worker has keys of its own, not the local server's.");
  }
  const directory = devDirectory();
  const isLocal = values.local || (values.file === undefined && !values.remote);
  const database: Database | null = values.remote ? { place: "remote" } : isLocal ? localDatabase(directory) : null;
  return { command, name, file: values.file ?? directory.varsFile, database, upload: values.upload };
}

function describe(text: string): string {
  const tokenKeys = readTokenKeys(readVariable(text, "TOKEN_KEYS") ?? "").map(
    (key, index) => `${key.name}  ${fingerprint(key)}  ${index === 0 ? "signs and verifies" : "verifies"}`,
  );
  const jwtKeys = readJwtKeys(text);
  const none = ['none yet: "npm run keys" makes the first'];
  const jwtLines = jwtKeys === null ? none : describeJwtKeys(jwtKeys, Date.now());
  const indented = (lines: string[]) => lines.map((line) => `  ${line}`);
  return ["Token keys", ...indented(tokenKeys), "JWT keys", ...indented(jwtLines)].join("\n");
}
