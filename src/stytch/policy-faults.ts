/**
 * What is said of each rule that a policy or an organization's own roles break: to an operator at the command line,
 * and to a backend with the error's name.
 */

import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, type RbacFault, type RbacFaultReason } from "../core/rbac-rules.ts";

/** Of an id that is too long. */
const SHOWN_LENGTH = 64;

/** Names of errors are those that a backend can meet, which sets roles only. */
const WORDS = {
  id_blank: ["invalid_rbac_role_id", () => "its id is blank"],
  id_too_long: ["rbac_role_id_too_long", (named) => `the id ${named} has more than ${MAX_NAME_LENGTH} characters`],
  id_duplicate: ["rbac_role_duplicate", (named) => `the id ${named} is there twice`],
  id_reserved: ["invalid_rbac_role_id", (named) => `${named} begins with "stytch", which is kept for Stytch's own`],
  description_too_long: [
    "rbac_description_too_long",
    (named) => `the description of ${named} has more than ${MAX_DESCRIPTION_LENGTH} characters`,
  ],
  role_of_policy: ["rbac_org_custom_roles_only", (named) => `${named} is a role of the project's policy`],
  default_role_missing: ["invalid_rbac_role_id", (named) => `the role ${named}, which every member has, is missing`],
  resource_unknown: ["invalid_permission_resource", (named) => `the policy has no resource ${named}`],
  reserved_resource_unknown: ["invalid_stytch_prefixed_resource", (named) => `the policy has no resource ${named}`],
  actions_missing: ["rbac_permission_missing_actions", (named) => `there are no actions for the resource ${named}`],
  action_blank: ["invalid_permission_action", () => "an action is blank"],
  action_too_long: [
    "invalid_permission_action",
    (named) => `the action ${named} has more than ${MAX_NAME_LENGTH} characters`,
  ],
  action_unknown: ["invalid_permission_action", (named) => `${named} is not among the actions of its resource`],
  wildcard_not_alone: [
    "cannot_specify_wildcard_with_other_actions",
    (named) => `the action "*" stands for all of ${named} and must stand alone`,
  ],
} as const satisfies Record<RbacFaultReason, readonly [errorType: string, says: (named: string) => string]>;

type FaultType = (typeof WORDS)[RbacFaultReason][0];

/** The name of the error, and a phrase that says where and what: `roles[0]: its id is blank`. */
export function wordsFor({ reason, path, named }: RbacFault): { errorType: FaultType; phrase: string } {
  const [errorType, says] = WORDS[reason];
  const shown = named.length > SHOWN_LENGTH ? `${named.slice(0, SHOWN_LENGTH)}…` : named;
  return { errorType, phrase: `${placeOf(path)}: ${says(JSON.stringify(shown))}` };
}

/** `roles[0].permissions[1]` */
export function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${String(step)}`))
    .join("");
}
