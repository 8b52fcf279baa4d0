/**
 * RBAC policies of organizations: set from a file, shown as one. The file is what Stytch's API answers, so that a
 * policy can be taken along; it is judged as a whole, and all that is wrong with it is said, before anything is written.
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type * as z from "zod/mini";
import { ADMIN_ROLE, BILLING_ROLE, DEFAULT_POLICY } from "../src/core/default-policy.ts";
import type { RbacPolicy } from "../src/core/rbac.ts";
import { completed, policyFaults } from "../src/core/rbac-rules.ts";
import { placeOf, wordsFor } from "../src/stytch/policy-faults.ts";
import { policyField, presentPolicy } from "../src/stytch/policy-fields.ts";
import { unknownOrganization } from "./admin-organizations.ts";
import { Refusal, WrongArguments } from "./command.ts";
import { type Database, execute } from "./database.ts";
import { MAX_STATEMENT_BYTES, sqlLiteral, sqlText } from "./sql.ts";

interface PolicySource {
  file: string | undefined;
  toDefault: boolean;
}

export async function setPolicy(database: Database, slug: string, { file, toDefault }: PolicySource): Promise<void> {
  if ((file === undefined) !== toDefault) {
    throw new WrongArguments("set-rbac-policy takes either --policy-file or --default.");
  }
  const policy = file === undefined ? null : readPolicy(file);
  const update = `UPDATE organizations SET rbac_policy = ${sqlLiteral(policy && JSON.stringify(policy))},
      modified_at = ${Date.now()}
    WHERE slug = ${sqlText(slug)} AND deleted_at IS NULL RETURNING id`;
  if (Buffer.byteLength(update) > MAX_STATEMENT_BYTES) {
    throw new Refusal(`The policy is too long: as compact JSON it may have just under ${MAX_STATEMENT_BYTES} bytes.`);
  }
  const [updated] = await execute(database, [update]);
  if (updated?.length === 0) throw unknownOrganization(slug);
  console.log(policy === null ? `${slug} has the default policy.` : summaryOf(slug, policy));
  for (const role of [ADMIN_ROLE, BILLING_ROLE]) {
    if (policy === null || policy.roles.some(({ id }) => id === role)) continue;
    const holders = role === ADMIN_ROLE ? "Owners" : "Billing managers";
    console.log(`${holders} have the role "${role}", which this policy does not define: it permits nothing.`);
  }
  console.log("Checks here follow at once; SDKs that check by themselves remember a policy for 5 to 10 minutes.");
}

/** The policy alone on stdout, so that it can be kept in a file, changed and set again. */
export async function showPolicy(database: Database, slug: string): Promise<void> {
  const [rows] = await execute(database, [
    `SELECT rbac_policy FROM organizations WHERE slug = ${sqlText(slug)} AND deleted_at IS NULL`,
  ]);
  const row = rows?.[0];
  if (row === undefined) throw unknownOrganization(slug);
  const stored = row["rbac_policy"] as string | null;
  if (stored === null) console.error("The default policy:");
  const policy = stored === null ? DEFAULT_POLICY : completed(JSON.parse(stored) as RbacPolicy);
  console.log(JSON.stringify(presentPolicy(policy), null, 2));
}

/** @throws {Refusal} that names every fault with its place. */
function readPolicy(path: string): RbacPolicy {
  const name = basename(path);
  const parsed = policyField.safeParse(readJson(path, name));
  if (!parsed.success) throw unfit(name, parsed.error.issues.map(misshapen));
  const faults = [...policyFaults(parsed.data)];
  if (faults.length > 0) {
    throw unfit(
      name,
      faults.map((fault) => wordsFor(fault).phrase),
    );
  }
  return parsed.data;
}

function misshapen(issue: z.core.$ZodIssue): string {
  const fault = issue.code === "invalid_type" ? `this should be of type ${issue.expected}` : issue.message;
  return `${placeOf(issue.path) || "the whole"}: ${fault}`;
}

const unfit = (name: string, phrases: string[]) =>
  new Refusal(`${name} is not a policy that can be set. Nothing was changed.\n  ${phrases.join("\n  ")}`);

/** A policy by itself, or within the answer that it came in. */
function readJson(path: string, name: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new Refusal(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  try {
    const content = JSON.parse(text) as { policy?: unknown } | null;
    return content?.policy ?? content;
  } catch (error) {
    throw new Refusal(`${name} is not JSON: ${(error as Error).message}`);
  }
}

function summaryOf(slug: string, { roles, resources, scopes }: RbacPolicy): string {
  return `${slug} has a policy with ${roles.length} roles, ${resources.length} resources and ${scopes.length} scopes.`;
}
