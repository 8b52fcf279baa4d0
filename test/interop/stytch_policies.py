"""The policies that the SDK fetches to check permissions by itself, and an organization's own roles."""

from stytch.b2b.models.rbac import OrgPolicy, PolicyRole, PolicyRolePermission

from stytch_demo import StytchTestCase, fixture, new_client

rbac = new_client().rbac


class Policies(StytchTestCase):
    def test_the_projects_policy(self):
        policy = rbac.policy().policy
        self.assertLessEqual({"stytch_member", "stytch_admin"}, {role.role_id for role in policy.roles})

    def test_an_organizations_own_roles(self):
        organization_id = fixture("makeTwoSignedIn")["admin"]["organization_id"]
        organizations = rbac.organizations
        self.assertEqual(organizations.get_org_policy(organization_id).org_policy.roles, [])
        permission = PolicyRolePermission(resource_id="stytch.sso", actions=["get"])
        own = OrgPolicy(roles=[PolicyRole(role_id="sso_reader", description="", permissions=[permission])])
        # The SDK's own rules, on the policy that it fetched.
        organizations.validate_org_policy(rbac.policy().policy, own)
        self.assertEqual(organizations.set_org_policy(organization_id, own).org_policy, own)
        self.assertEqual(organizations.get_org_policy(organization_id).org_policy, own)
        twice = OrgPolicy(roles=own.roles * 2)
        self.refused(400, "rbac_role_duplicate", organizations.set_org_policy, organization_id, twice)
