"""polar-sdk 0.32.0, the last release of the first generation: strict on what it receives, with closed enums."""

import unittest

from demo import API_KEY, BASE_URL, INDIVIDUAL, ORGANIZATION, TEAM, UNKNOWN_ID, team_member, unique
from polar_sdk import Polar, models

polar = Polar(access_token=API_KEY, server_url=BASE_URL)


def session_of(member: dict) -> str:
    request = {"customer_id": TEAM["id"], "member_id": member["id"]}
    return polar.customer_sessions.create(request=request).token


class Customers(unittest.TestCase):
    def test_an_individual_from_creation_to_deletion(self):
        name = unique("ind")
        customer = polar.customers.create(
            request={
                "email": f"{name}@example.com",
                "external_id": f"{name}/1",
                "name": "Ind",
                "metadata": {"plan": "pro", "seats": 3, "rate": 1.5, "vip": True},
                "billing_address": {"country": "FR", "city": "Paris"},
                "tax_id": "FR61954506077",
                "locale": "fr-FR",
            }
        )
        self.assertIsInstance(customer, models.CustomerIndividual)
        self.assertEqual(customer.tax_id, ["FR61954506077", "eu_vat"])
        self.assertEqual(customer.metadata, {"plan": "pro", "seats": 3, "rate": 1.5, "vip": True})
        self.assertEqual(polar.customers.get(id=customer.id), customer)
        # This SDK sends the slash as it is.
        self.assertEqual(polar.customers.get_external(external_id=f"{name}/1"), customer)
        listed = polar.customers.list(email=f"{name}@EXAMPLE.com", metadata={"plan": "pro"}, sorting=["-created_at", "email"])
        self.assertEqual([item.id for item in listed.result.items], [customer.id])
        updated = polar.customers.update(id=customer.id, customer_update={"name": "Ind Two"})
        self.assertEqual(updated.name, "Ind Two")
        updated = polar.customers.update_external(
            external_id=f"{name}/1", customer_update_external_id={"metadata": {"plan": "free"}}
        )
        self.assertEqual(updated.metadata, {"plan": "free"})
        state = polar.customers.get_state(id=customer.id)
        self.assertEqual((state.active_subscriptions, state.granted_benefits, state.active_meters), ([], [], []))
        self.assertEqual(polar.customers.get_state_external(external_id=f"{name}/1").id, customer.id)
        self.assertEqual(polar.customers.list_payment_methods(id=customer.id).result.items, [])
        self.assertIn(f"{name}@example.com", polar.customers.export())
        polar.customers.delete(id=customer.id, anonymize=True)
        with self.assertRaises(models.ResourceNotFound):
            polar.customers.get(id=customer.id)

    def test_a_team_and_its_members_by_id(self):
        name = unique("team")
        team = polar.customers.create(
            request={"type": "team", "name": name, "owner": {"email": f"{name}@example.com", "external_id": "o"}}
        )
        self.assertIsInstance(team, models.CustomerTeam)
        self.assertIsNone(team.email)
        member = polar.customers.members.create(
            id=team.id, member_create_from_customer={"email": f"{name}.2@example.com", "external_id": "m"}
        )
        self.assertEqual(polar.customers.members.get(id=team.id, member_id=member.id).external_id, "m")
        promoted = polar.customers.members.update(
            id=team.id, member_id=member.id, member_update={"role": "owner", "name": "New owner"}
        )
        self.assertEqual((promoted.role, promoted.name), ("owner", "New owner"))
        with self.assertRaises(models.HTTPValidationError):
            polar.customers.members.delete(id=team.id, member_id=member.id)
        old_owner = polar.members.list_members(customer_id=team.id, role="billing_manager").result.items[0]
        polar.customers.members.delete(id=team.id, member_id=old_owner.id)
        with self.assertRaises(models.ResourceNotFound):
            polar.customers.members.get(id=team.id, member_id=old_owner.id)

    def test_members_by_external_ids(self):
        name = unique("ext")
        polar.customers.create(
            request={"type": "team", "external_id": name, "owner": {"email": f"{name}@example.com"}}
        )
        ids = {"external_id": name, "member_external_id": "m/1"}
        polar.customers.members.create_external(
            external_id=name, member_create_from_customer={"email": f"{name}.2@example.com", "external_id": "m/1"}
        )
        self.assertEqual(polar.customers.members.get_external(**ids).external_id, "m/1")
        renamed = polar.customers.members.update_external(**ids, member_update={"name": "Renamed"})
        self.assertEqual(renamed.name, "Renamed")
        polar.customers.members.delete_external(**ids)
        with self.assertRaises(models.ResourceNotFound):
            polar.customers.members.get_external(**ids)


class Portal(unittest.TestCase):
    def test_a_customer_reads_and_changes_itself(self):
        security = {"member_session": session_of(team_member("owner"))}
        me = polar.customer_portal.customers.get(security=security)
        self.assertEqual(me.id, TEAM["id"])
        changed = polar.customer_portal.customers.update(
            security=security, request={"billing_name": "Northwind Ltd", "billing_address": {"country": "DE"}}
        )
        self.assertEqual((changed.billing_name, changed.billing_address.country), ("Northwind Ltd", "DE"))

    def test_a_plain_member_may_look_and_not_change(self):
        security = {"member_session": session_of(team_member("member"))}
        polar.customer_portal.customers.get(security=security)
        with self.assertRaises(models.SDKError) as caught:
            polar.customer_portal.customers.update(security=security, request={"billing_name": "Mine"})
        self.assertEqual(caught.exception.status_code, 403)

    def test_a_team_manages_its_members(self):
        portal = Polar(access_token=session_of(team_member("owner")), server_url=BASE_URL).customer_portal.members
        email = f"{unique('portal')}@example.com"
        member = portal.add_member(request={"email": email, "role": "member"})
        listed = portal.list_members(limit=100).result.items
        self.assertIn(member.id, [item.id for item in listed])
        changed = portal.update_member(id=member.id, customer_portal_member_update={"role": "billing_manager"})
        self.assertEqual(changed.role, "billing_manager")
        portal.remove_member(id=member.id)
        with self.assertRaises(models.SDKError) as caught:
            portal.remove_member(id=member.id)
        self.assertEqual(caught.exception.status_code, 404)

    def test_the_organization_is_public(self):
        data = polar.customer_portal.organizations.get(slug=ORGANIZATION["slug"])
        self.assertEqual((data.organization.id, data.products), (ORGANIZATION["id"], []))

    def test_an_email_change_is_off_until_the_organization_allows_it(self):
        token = polar.customer_sessions.create(request={"customer_id": INDIVIDUAL["id"]}).token
        with self.assertRaises(models.SDKError) as caught:
            polar.customer_portal.customers.request_email_update(
                security={"member_session": token}, request={"email": f"{unique('new')}@example.com"}
            )
        self.assertEqual(caught.exception.status_code, 403)
        with self.assertRaises(models.SDKError) as caught:
            polar.customer_portal.customers.check_email_update(token="unknown")
        self.assertEqual(caught.exception.status_code, 401)
        with self.assertRaises(models.SDKError) as caught:
            polar.customer_portal.customers.verify_email_update(request={"token": "unknown"})
        self.assertEqual(caught.exception.status_code, 401)


class Tokens(unittest.TestCase):
    def test_introspection_and_revocation_of_a_session_token(self):
        token = session_of(team_member("member"))
        client = {"client_id": ORGANIZATION["id"], "client_secret": API_KEY}
        self.assertTrue(polar.oauth2.introspect(request={"token": token, **client}).active)
        polar.oauth2.revoke(request={"token": token, **client})
        with self.assertRaises(models.SDKError) as caught:
            polar.customer_portal.customer_session.get_authenticated_user(security={"member_session": token})
        self.assertEqual(caught.exception.status_code, 401)


class Errors(unittest.TestCase):
    def test_unknown_customer(self):
        with self.assertRaises(models.ResourceNotFound) as caught:
            polar.customers.get(id=UNKNOWN_ID)
        self.assertEqual(caught.exception.data.detail, "Not found")

    def test_schema_fault(self):
        with self.assertRaises(models.HTTPValidationError) as caught:
            polar.customers.create(request={"email": "nobody"})
        self.assertEqual(caught.exception.data.detail[0].loc, ["body", "individual", "email"])


if __name__ == "__main__":
    unittest.main()
