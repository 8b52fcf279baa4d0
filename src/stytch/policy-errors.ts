/**
 * Errors about roles and what they permit: the status and the words of each type. policy-faults.ts says more, and where.
 */

export const POLICY_ERRORS = {
  invalid_rbac_role_id: [400, "A role id is not allowed."],
  rbac_role_id_too_long: [400, "A role id is too long."],
  rbac_role_duplicate: [400, "A role is there twice."],
  rbac_description_too_long: [400, "A description is too long."],
  rbac_org_custom_roles_only: [400, "Roles of the project's policy cannot be changed here."],
  invalid_permission_resource: [400, "A permission is for a resource that the policy does not have."],
  invalid_stytch_prefixed_resource: [400, "A permission is for a resource that Stytch does not have."],
  rbac_permission_missing_actions: [400, "A permission has no actions."],
  invalid_permission_action: [400, "A permission is for an action that its resource does not have."],
  cannot_specify_wildcard_with_other_actions: [400, 'The action "*" must stand alone.'],
} as const;
