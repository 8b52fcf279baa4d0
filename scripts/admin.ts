/**
 * `npm run admin`: what an operator needs before the first API call, written straight into the local database or the
 * deployed one: organizations, their settings, RBAC policies, API keys and trusted issuers; and leave to impersonate.
 */

import { parseArgs } from "node:util";
import { createApiKey, listApiKeys, revokeApiKey } from "./admin-api-keys.ts";
import { impersonate } from "./admin-impersonation.ts";
import { createOrganization, listOrganizations, setOrganization } from "./admin-organizations.ts";
import { setPolicy, showPolicy } from "./admin-policies.ts";
import { addProfile, listProfiles, removeProfile } from "./admin-trusted-tokens.ts";
import { Refusal, runCommand, WrongArguments } from "./command.ts";
import { type Database, localDatabase } from "./database.ts";
import { devDirectory } from "./dev-directory.ts";
import { SETTING_OPTIONS, SETTINGS_USAGE } from "./organization-settings.ts";
import { latchkeyOrigins } from "./portal-url.ts";
import { serversBehind } from "./running-servers.ts";
import { ISSUER_OPTIONS, ISSUER_USAGE } from "./trusted-token-options.ts";

const USAGE = `Usage: npm run admin -- <command> [options]

  create-organization --slug <slug> --name <name> [settings]
  set-organization <slug> [--name <name>] [settings]
  list-organizations
  set-rbac-policy <slug> --policy-file <path> | --default
  show-rbac-policy <slug>
  create-api-key --organization <slug> --name <name> [--scopes a,b] [--expires-in-days <n>]
  list-api-keys [--organization <slug>]
  revoke-api-key <id>
  add-trusted-token-profile --organization <slug> --name <name> [issuer]
  list-trusted-token-profiles [--organization <slug>]
  remove-trusted-token-profile <id>
  impersonate --organization <slug> --member <id> --as <your e-mail>

  --remote        the deployed database; without it, the local server's
  --file <path>   create-api-key, impersonate: where the token keys are kept (npm run keys);
                  needed with --remote, the local server's if not given
  --policy-file <path>
                  set-rbac-policy: JSON as GET /v1/b2b/rbac/policy answers it, Stytch's or this one's
  --default       set-rbac-policy: back to the policy that everybody begins with

Settings of an organization:
${SETTINGS_USAGE}

A trusted issuer:
${ISSUER_USAGE}`;

const OPTIONS = {
  ...SETTING_OPTIONS,
  ...ISSUER_OPTIONS,
  slug: { type: "string" },
  name: { type: "string" },
  organization: { type: "string" },
  scopes: { type: "string" },
  "expires-in-days": { type: "string" },
  file: { type: "string" },
  member: { type: "string" },
  as: { type: "string" },
  "policy-file": { type: "string" },
  default: { type: "boolean" },
  remote: { type: "boolean" },
} as const;

/** What each command takes besides --remote; anything else is a slip, and a slip here is written to a database. */
const COMMANDS = {
  "create-organization": { takes: ["slug", "name", ...Object.keys(SETTING_OPTIONS)], needs: ["slug", "name"] },
  "set-organization": { positional: "a slug", takes: ["name", ...Object.keys(SETTING_OPTIONS)] },
  "list-organizations": {},
  "set-rbac-policy": { positional: "a slug", takes: ["policy-file", "default"] },
  "show-rbac-policy": { positional: "a slug" },
  "create-api-key": {
    takes: ["organization", "name", "scopes", "expires-in-days", "file"],
    needs: ["organization", "name"],
  },
  "list-api-keys": { takes: ["organization"] },
  "revoke-api-key": { positional: "an id" },
  "add-trusted-token-profile": {
    takes: ["organization", "name", ...Object.keys(ISSUER_OPTIONS)],
    needs: ["organization", "name", "issuer", "audience"],
  },
  "list-trusted-token-profiles": { takes: ["organization"] },
  "remove-trusted-token-profile": { positional: "an id" },
  impersonate: { takes: ["organization", "member", "as", "file"], needs: ["organization", "member", "as"] },
} as const satisfies Record<string, { positional?: string; takes?: readonly string[]; needs?: readonly string[] }>;

await runCommand(async () => {
  const { command, subject, values } = readArguments();
  const directory = devDirectory();
  const database: Database = values.remote ? { place: "remote" } : localDatabase(directory);
  const origins = latchkeyOrigins(database.place, directory);
  switch (command) {
    case "create-organization":
      return createOrganization(database, values.slug ?? "", values.name ?? "", values, origins);
    case "set-organization":
      return setOrganization(database, subject, values.name, values, origins);
    case "list-organizations":
      return listOrganizations(database);
    case "set-rbac-policy":
      return setPolicy(database, subject, { file: values["policy-file"], toDefault: values.default ?? false });
    case "show-rbac-policy":
      return showPolicy(database, subject);
    case "create-api-key":
      return withKeys((keysFile) =>
        createApiKey(database, keysFile, values.organization ?? "", {
          name: values.name ?? "",
          scopes: values.scopes,
          expiresInDays: values["expires-in-days"],
        }),
      );
    case "list-api-keys":
      return listApiKeys(database, values.organization);
    case "revoke-api-key":
      return revokeApiKey(database, subject);
    case "add-trusted-token-profile":
      return addProfile(database, values.organization ?? "", values.name ?? "", values);
    case "list-trusted-token-profiles":
      return listProfiles(database, values.organization);
    case "remove-trusted-token-profile":
      return removeProfile(database, subject);
    case "impersonate":
      return withKeys((keysFile) =>
        impersonate(database, keysFile, values.organization ?? "", {
          member: values.member ?? "",
          as: values.as ?? "",
        }),
      );
  }

  async function withKeys(mint: (keysFile: string) => Promise<void>): Promise<void> {
    // Signed with the local server's keys it would be dead on arrival.
    if (values.remote && values.file === undefined) throw new Refusal("--remote needs --file, the production keys.");
    await mint(values.file ?? directory.varsFile);
    if (!values.remote && values.file === undefined) for (const hint of serversBehind(directory)) console.error(hint);
  }
}, USAGE);

function readArguments() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const [word, ...subjects] = positionals;
  const command = (Object.keys(COMMANDS) as (keyof typeof COMMANDS)[]).find((known) => known === word);
  if (command === undefined) {
    throw new WrongArguments(word === undefined ? "A command is missing." : `There is no command "${word}".`);
  }
  const rules: { positional?: string; takes?: readonly string[]; needs?: readonly string[] } = COMMANDS[command];
  const { positional, takes = [], needs = [] } = rules;
  if (subjects.length !== (positional === undefined ? 0 : 1)) {
    throw new WrongArguments(`${command} takes ${positional ?? "options only"}.`);
  }
  const foreign = Object.keys(values).find((option) => option !== "remote" && !takes.includes(option));
  if (foreign !== undefined) throw new WrongArguments(`${command} takes no --${foreign}.`);
  const missing = needs.find((option) => !(option in values));
  if (missing !== undefined) throw new WrongArguments(`${command} needs --${missing}.`);
  return { command, subject: subjects[0] ?? "", values };
}
