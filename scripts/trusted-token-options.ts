/**
 * What an operator says of an issuer whose tokens an organization is to trust: option names, and the columns of
 * `trusted_issuers` that they fill. What the Worker would refuse later is refused here.
 */

import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { readOutsideUrl } from "../src/core/outside-url.ts";
import type { ClaimNames } from "../src/core/trusted-issuers.ts";
import { importPem } from "../src/crypto/jwk.ts";
import { isJwsAlgorithm, JWS_ALGORITHMS, type JwsAlgorithm } from "../src/crypto/jws.ts";
import { Refusal } from "./command.ts";
import type { SqlRow } from "./sql.ts";

export const ISSUER_OPTIONS = {
  purpose: { type: "string" },
  issuer: { type: "string" },
  audience: { type: "string" },
  "jwks-url": { type: "string" },
  "pem-file": { type: "string" },
  algorithms: { type: "string" },
  "email-claim": { type: "string" },
  "token-id-claim": { type: "string" },
  "organization-claim": { type: "string" },
  "external-member-id-claim": { type: "string" },
  "role-ids-claim": { type: "string" },
  "can-make-members": { type: "string" },
} as const;

export const ISSUER_USAGE = `  --issuer <text>                    exactly as the tokens have it in iss
  --audience <text>                  exactly as they have it in aud
  --jwks-url <url>                   where the issuer publishes its keys; or
  --pem-file <path>                  its public keys or certificates
  --algorithms a,b                   of ${Object.keys(JWS_ALGORITHMS).join(", ")} [RS256,ES256]
  --purpose attest|access_token      for POST /v1/b2b/sessions/attest, or …/exchange_access_token [attest]
  --email-claim <name>               each of these may be a name, or a path like user.email [email]
  --token-id-claim <name>            unique to each token [jti]
  --organization-claim <name>        whose organization: id or external id [none]; access_token needs it
  --external-member-id-claim <name>  attached to members, then matched [none]
  --role-ids-claim <name>            RBAC roles to assign [none]
  --can-make-members on|off          attest: whoever is unknown becomes a member [off]`;

export type IssuerValues = { [name in keyof typeof ISSUER_OPTIONS]?: string | undefined };

/** @param isLocal whether keys may be published on this machine. @throws {Refusal} */
export async function issuerColumns(values: IssuerValues, isLocal: boolean): Promise<SqlRow> {
  const purpose = oneOf(values, "purpose", ["attest", "access_token"]);
  const claims = claimNames(values);
  const makesMembers = oneOf(values, "can-make-members", ["off", "on"]) === "on";
  if (purpose === "access_token" && claims.customer === null) {
    throw new Refusal("--purpose access_token needs --organization-claim: such a token comes without an organization.");
  }
  if (purpose === "access_token" && makesMembers) throw new Refusal("An access token makes no members.");
  const algorithms = readAlgorithms(values.algorithms ?? "RS256,ES256");
  return {
    purpose,
    issuer: requireText(values, "issuer"),
    audience: requireText(values, "audience"),
    ...(await keyColumns(values, algorithms, isLocal)),
    algorithms: JSON.stringify(algorithms),
    claims: JSON.stringify(claims),
    can_make_members: makesMembers ? 1 : 0,
  };
}

async function keyColumns(values: IssuerValues, algorithms: JwsAlgorithm[], isLocal: boolean): Promise<SqlRow> {
  const { "jwks-url": url, "pem-file": file } = values;
  if ((url === undefined) === (file === undefined)) throw new Refusal("Give either --jwks-url or --pem-file.");
  if (url === undefined) {
    return { jwks_url: null, public_keys: JSON.stringify(await readPems(file ?? "", algorithms)) };
  }
  try {
    return { jwks_url: readOutsideUrl(url, isLocal).href, public_keys: null };
  } catch (error) {
    throw new Refusal(`--jwks-url ${(error as Error).message}.`);
  }
}

function claimNames(values: IssuerValues): ClaimNames {
  const optional = (name: keyof IssuerValues) => (values[name] === undefined ? null : requireText(values, name));
  return {
    email: optional("email-claim") ?? "email",
    tokenId: optional("token-id-claim") ?? "jti",
    customer: optional("organization-claim"),
    externalMemberId: optional("external-member-id-claim"),
    roles: optional("role-ids-claim"),
  };
}

function requireText(values: IssuerValues, name: keyof IssuerValues): string {
  const text = values[name] ?? "";
  // A blank before or after it would never match anything.
  if (text === "" || text !== text.trim()) throw new Refusal(`--${name} is a text without blanks around it.`);
  return text;
}

function oneOf<Choice extends string>(values: IssuerValues, name: keyof IssuerValues, choices: [Choice, Choice]) {
  const text = values[name] ?? choices[0];
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) throw new Refusal(`--${name} is ${choices.join(" or ")}, not "${text}".`);
  return choice;
}

function readAlgorithms(text: string): JwsAlgorithm[] {
  const names = [...new Set(text.split(",").map((name) => name.trim()))];
  const unknown = names.find((name) => !isJwsAlgorithm(name));
  if (unknown === undefined) return names.filter(isJwsAlgorithm);
  throw new Refusal(`There is no algorithm "${unknown}". There is: ${Object.keys(JWS_ALGORITHMS).join(", ")}.`);
}

/** The public keys of a file, each good for one of the algorithms at least. */
async function readPems(path: string, algorithms: JwsAlgorithm[]): Promise<string[]> {
  const blocks = readText(path).match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g) ?? [];
  if (blocks.length === 0) throw new Refusal(`There is no key in ${path}.`);
  const pems = blocks.map((block) => publicKeyOf(block, path));
  for (const pem of pems) {
    const keys = await Promise.all(algorithms.map((algorithm) => importPem(pem, algorithm)));
    if (keys.every((key) => key === null)) {
      throw new Refusal(`A key in ${path} is weak, or for none of ${algorithms.join(", ")}.`);
    }
  }
  return pems;
}

function publicKeyOf(block: string, path: string): string {
  if (block.includes("PRIVATE")) throw new Refusal(`There is a private key in ${path}. Only public ones belong here.`);
  try {
    return createPublicKey(block).export({ type: "spki", format: "pem" }) as string;
  } catch {
    throw new Refusal(`A key in ${path} cannot be read: public keys and certificates in PEM can.`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Refusal(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
}
