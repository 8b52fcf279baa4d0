/**
 * Role-based access: what a policy is made of. An organization has one policy for all its customers; a customer may
 * have roles of its own beside it.
 */

/** What a role, or a scope, allows on one resource. The action "*" stands for all of the resource's. */
export interface RbacPermission {
  resource: string;
  actions: string[];
}

export interface RbacRole {
  id: string;
  description: string;
  permissions: RbacPermission[];
}

export interface RbacResource {
  id: string;
  description: string;
  actions: string[];
}

/** What an access token may be allowed; the same shape as a role, but nobody has it. */
export interface RbacScope {
  id: string;
  description: string;
  permissions: RbacPermission[];
}

export interface RbacPolicy {
  roles: RbacRole[];
  resources: RbacResource[];
  scopes: RbacScope[];
}
