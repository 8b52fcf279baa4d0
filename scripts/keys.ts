/**
 * `npm run keys`: makes, rotates and retires token keys. A Worker's secrets cannot be read back, so the keys live in a
 * vars file and are uploaded from there. Shows names and fingerprints, never material.
 */

import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Refusal, runCommand, WrongArguments } from "./command.ts";
import { type Database, localDatabase } from "./database.ts";
import { devDirectory, shownPath } from "./dev-directory.ts";
import { readIfThere, writePrivateFile } from "./private-file.ts";
import { serversBehind } from "./running-servers.ts";
import { fingerprint, firstTokenKey, readTokenKeys, retireTokenKey, rotateTokenKeys } from "./token-key-list.ts";
import { uploadTokenKeys } from "./token-key-upload.ts";
import { requireUnused } from "./token-key-use.ts";
import { readVariable, setVariable } from "./vars-file.ts";

const USAGE = `Usage: npm run keys -- [command] [options]

  (no command)    make the first token key, if there is none
  list            names and fingerprints; the first key signs, all verify
  rotate          a new key in front; what the others signed stays valid
  retire <name>   remove a key that nothing alive is signed with

  --file <path>   where the keys are kept; the local server's if not given.
                  For production: --file .keys/production.vars
  --upload        also give them to the deployed Worker, as its secret TOKEN_KEYS
  --remote        retire: look for what is alive in the deployed database
  --local         retire: look in the local one (needed with --file only)`;

const COMMANDS = ["make", "list", "rotate", "retire"] as const;

await runCommand(async () => {
  const { command, name, file, database, upload } = readArguments();
  const text = readIfThere(file) ?? "";
  const keys = readVariable(text, "TOKEN_KEYS");
  const save = (edited: string) => writePrivateFile(file, setVariable(text, "TOKEN_KEYS", edited));

  if (command === "make" && keys === null) save(firstTokenKey());
  else if (keys === null) throw new Refusal(`There are no keys in ${shownPath(file)}. "npm run keys" makes the first.`);
  else if (command === "rotate") save(rotateTokenKeys(keys));
  else if (command === "retire") {
    const remaining = retireTokenKey(keys, name);
    if (database === null) {
      throw new Refusal(`Which database do the keys in ${shownPath(file)} serve? Say --remote or --local.`);
    }
    await requireUnused(database, name);
    save(remaining);
  }
  const current = readVariable(readIfThere(file) ?? "", "TOKEN_KEYS") ?? "";
  console.log(`${shownPath(file)}\n${describe(current)}`);
  if (upload) return uploadTokenKeys(current);
  if (current === keys) return;
  console.log("A Worker has them from its next start (local) or upload (deployed) on.");
  const directory = devDirectory();
  if (resolve(file) === directory.varsFile) for (const hint of serversBehind(directory)) console.log(hint);
}, USAGE);

function readArguments() {
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
  const command = COMMANDS.find((known) => known === word);
  if (command === undefined) throw new WrongArguments(`There is no command "${word}".`);
  if (rest.length > 0 || (command === "retire") !== (name !== "")) {
    throw new WrongArguments(command === "retire" ? "retire takes one name." : `${command} takes no name.`);
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

function describe(keys: string): string {
  return readTokenKeys(keys)
    .map((key, index) => `  ${key.name}  ${fingerprint(key)}  ${index === 0 ? "signs and verifies" : "verifies"}`)
    .join("\n");
}
