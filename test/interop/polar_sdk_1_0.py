"""polar-sdk 1.0 in its three API versions: strict on required fields, and no redirects, no encoding of ids in paths."""

import unittest

from demo import API_KEY, BASE_URL, INDIVIDUAL, ORGANIZATION, TEAM, UNKNOWN_ID, team_member, unique
from polar import v2026_04, v2026_10, v2027_01
from polar.base import PolarClientError


class EveryVersion:
    """What each version module has to pass."""

    version = None

    def setUp(self):
        self.polar = self.version.Polar(API_KEY, base_url=BASE_URL)
        self.errors = self.version.errors

    def portal(self, role="owner"):
        session = self.polar.customer_sessions.create(customer_id=TEAM["id"], member_id=team_member(role)["id"])
        return self.version.Polar(session.token, base_url=BASE_URL).customer_portal

    def test_an_individual_from_creation_to_deletion(self):
        name = unique("ind")
        customer = self.polar.customers.create(
            email=f"{name}@example.com",
            external_id=name,
            name="Ind",
            metadata={"plan": "pro", "n": 1},
            billing_address={"country": "FR"},
            locale="fr-FR",
        )
        self.assertEqual(self.polar.customers.get(customer.id), customer)
        self.assertEqual(self.polar.customers.get_external(name), customer)
        listed = self.polar.customers.list(email=f"{name}@example.com", sorting=["-created_at", "email"])
        self.assertEqual([item.id for item in listed.items], [customer.id])
        self.assertEqual([item.id for item in self.polar.customers.iter_list(query=name)], [customer.id])
        self.assertEqual(self.polar.customers.update(customer.id, name="Two").name, "Two")
        self.assertEqual(self.polar.customers.update_external(name, name="Three").name, "Three")
        self.assertEqual(self.polar.customers.get_state(customer.id).active_subscriptions, [])
        self.assertEqual(self.polar.customers.get_state_external(name).active_meters, [])
        self.assertEqual(self.polar.customers.list_payment_methods(customer.id).items, [])
        self.assertEqual(self.polar.customers.list_payment_methods_external(name).items, [])
        self.assertIn(f"{name}@example.com", self.polar.customers.export())
        self.polar.customers.delete_external(name)
        with self.assertRaises(self.errors.ResourceNotFound):
            self.polar.customers.get(customer.id)

    def test_members_of_a_team(self):
        name = unique("team")
        team = self.polar.customers.create(
            type="team", name=name, external_id=name, owner={"email": f"{name}@example.com"}
        )
        members = self.polar.customers.members
        one = members.create(team.id, email=f"{name}.1@example.com", external_id="one")
        two = members.create_external(name, email=f"{name}.2@example.com", external_id="two")
        self.assertEqual([item.id for item in members.list(team.id, role="member").items], [two.id, one.id])
        self.assertEqual(len(list(members.iter_list_external(name))), 3)
        self.assertEqual(members.list_external(name, limit=1).pagination.total_count, 3)
        self.assertEqual(members.get(team.id, one.id), one)
        self.assertEqual(members.get_external(name, "two"), two)
        self.assertEqual(members.update(team.id, one.id, role="owner").role, "owner")
        self.assertEqual(members.update_external(name, "two", name="Two").name, "Two")
        members.delete_external(name, "two")
        with self.assertRaises(self.errors.ResourceNotFound):
            members.get(team.id, two.id)
        with self.assertRaises(self.errors.HTTPValidationError):
            members.delete(team.id, one.id)

    def test_the_portal_of_a_session(self):
        session = self.polar.customer_sessions.create(external_customer_id=INDIVIDUAL["external_id"])
        portal = self.version.Polar(session.token, base_url=BASE_URL).customer_portal
        self.assertEqual(portal.customer_session.introspect().expires_at, session.expires_at)
        self.assertEqual(portal.customer_session.get_authenticated_user().email, INDIVIDUAL["email"])
        self.assertEqual(portal.customers.get().id, INDIVIDUAL["id"])
        self.assertEqual(portal.customers.update(billing_name="Ada K.").billing_name, "Ada K.")
        self.assertEqual(portal.organizations.get(ORGANIZATION["slug"]).products, [])

    def test_a_team_manages_its_members(self):
        members = self.portal().members
        added = members.add_member(email=f"{unique('portal')}@example.com")
        self.assertIn(added.id, [item.id for item in members.iter_list_members()])
        self.assertEqual(members.update_member(added.id, role="billing_manager").role, "billing_manager")
        members.remove_member(added.id)
        with self.assertRaises(PolarClientError) as caught:
            self.portal("member").members.list_members()
        self.assertEqual(caught.exception.status_code, 403)

    def test_unknown_customer(self):
        with self.assertRaises(self.errors.ResourceNotFound):
            self.polar.customers.get(UNKNOWN_ID)


class Version202604(EveryVersion, unittest.TestCase):
    version = v2026_04


class Version202610(EveryVersion, unittest.TestCase):
    version = v2026_10


class Version202701(EveryVersion, unittest.TestCase):
    version = v2027_01


if __name__ == "__main__":
    unittest.main()
