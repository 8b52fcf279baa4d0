"""Organizations and their members: made, changed, found, deleted. That the SDK parses an answer is half the test."""

from demo import unique
from stytch_demo import StytchTestCase, fixture, new_client

client = new_client()
organizations, members = client.organizations, client.organizations.members


def make_organization() -> str:
    slug = unique("org")
    return organizations.create(organization_name="Acme", organization_slug=slug).organization.organization_id


def add_member(organization_id: str, **more):
    return members.create(organization_id, f"{unique('someone')}@example.com", **more).member


class Organizations(StytchTestCase):
    def test_an_organization_from_creation_to_deletion(self):
        organization_id = make_organization()
        external_id = unique("ext")
        changed = organizations.update(
            organization_id,
            organization_name="Two",
            organization_external_id=external_id,
            trusted_metadata={"a": 1},
            rbac_email_implicit_role_assignments=[{"domain": "example.com", "role_id": "stytch_admin"}],
        ).organization
        self.assertEqual((changed.organization_name, changed.trusted_metadata), ("Two", {"a": 1}))
        for name in (organization_id, changed.organization_slug, external_id):
            self.assertEqual(organizations.get(name).organization, changed)
        self.assertTrue(add_member(organization_id).is_admin)
        self.assertEqual(organizations.metrics(organization_id).member_count, 1)
        self.assertIsNone(organizations.delete_external_id(organization_id).organization.organization_external_id)
        self.assertEqual(organizations.delete(organization_id).organization_id, organization_id)
        self.refused(404, "organization_not_found", organizations.get, organization_id)

    def test_organizations_are_searched_page_by_page(self):
        made = {make_organization() for _ in range(3)}
        operands = [{"filter_name": "organization_ids", "filter_value": sorted(made)}]
        query = {"operator": "AND", "operands": operands}
        first = organizations.search(limit=2, query=query)
        self.assertEqual(first.results_metadata.total, 3)
        second = organizations.search(limit=2, query=query, cursor=first.results_metadata.next_cursor)
        self.assertIsNone(second.results_metadata.next_cursor)
        self.assertEqual({found.organization_id for found in first.organizations + second.organizations}, made)

    def test_a_member_from_creation_to_deletion_and_back(self):
        organization_id = make_organization()
        created = add_member(organization_id, name="Ann", external_id=unique("person"), roles=["stytch_admin"])
        self.assertEqual((created.status, created.is_admin, created.name), ("active", True, "Ann"))
        changed = members.update(organization_id, created.member_id, name="Bea", roles=[]).member
        self.assertEqual((changed.name, changed.is_admin), ("Bea", False))
        for name in ({"member_id": created.member_id}, {"email_address": created.email_address}):
            self.assertEqual(members.get(organization_id, **name).member, changed)
        self.assertEqual(members.dangerously_get(created.member_id).member, changed)
        members.delete(organization_id, created.member_id)
        self.refused(404, "member_not_found", members.get, organization_id, member_id=created.member_id)
        self.assertEqual(members.reactivate(organization_id, created.member_id).member.status, "active")

    def test_what_is_taken_away_from_a_member_is_gone(self):
        organization_id = make_organization()
        created = add_member(organization_id, external_id=unique("person"), mfa_phone_number="+15005550006")
        named = (organization_id, created.member_id)
        members.update(*named, email_address=f"{unique('renamed')}@example.com")
        self.assertEqual(members.delete_mfa_phone_number(*named).member.mfa_phone_number, "")
        self.assertEqual(members.delete_totp(*named).member.totp_registration_id, "")
        without = members.delete_external_id(*named).member
        self.assertIsNone(without.external_id)
        (retired,) = without.retired_email_addresses
        self.assertEqual(retired.email_address, created.email_address)
        unlinked = members.unlink_retired_email(*named, email_id=retired.email_id)
        self.assertEqual((unlinked.organization_id, unlinked.member.retired_email_addresses), (organization_id, []))

    def test_members_are_searched_page_by_page(self):
        organization_id = make_organization()
        made = {add_member(organization_id).member_id for _ in range(3)}
        first = members.search([organization_id], limit=2)
        self.assertEqual(first.organizations[organization_id].organization_id, organization_id)
        second = members.search([organization_id], limit=2, cursor=first.results_metadata.next_cursor)
        self.assertEqual({found.member_id for found in first.members + second.members}, made)

    def test_refusals(self):
        organization_id = make_organization()
        taken = organizations.get(organization_id).organization.organization_slug
        create = organizations.create
        self.refused(400, "organization_slug_already_used", create, organization_name="B", organization_slug=taken)
        email = add_member(organization_id).email_address
        self.refused(400, "duplicate_member_email", members.create, organization_id, email)
        self.refused(400, "invalid_member_get_fields", members.get, organization_id)

    def test_a_session_is_exchanged_by_who_is_a_member_there_and_has_proved_the_address(self):
        somebody = fixture("makeTwoSignedIn")["member"]
        organization_id = make_organization()
        twin = members.create(organization_id, somebody["email_address"]).member
        request = {"organization_id": organization_id, "session_token": somebody["session_token"]}
        self.refused(403, "insufficient_factors_for_session_exchange", client.sessions.exchange, **request)
        request["session_token"] = fixture("signInByMail", somebody)
        answer = client.sessions.exchange(**request)
        self.assertEqual((answer.member_id, answer.member_authenticated), (twin.member_id, True))
        self.assertEqual(answer.member_session.authentication_factors[0].type, "email_otp")
        self.assertEqual(client.sessions.authenticate_jwt_local(answer.session_jwt), answer.member_session)
