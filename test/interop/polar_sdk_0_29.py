"""polar-sdk 0.29.0, the last Python release that has member sessions."""

import unittest
from datetime import timedelta

from demo import API_KEY, BASE_URL, INDIVIDUAL, ORGANIZATION, TEAM, UNKNOWN_ID, team_member, unique
from polar_sdk import Polar, models

polar = Polar(access_token=API_KEY, server_url=BASE_URL)


class MemberSessions(unittest.TestCase):
    def test_create_signs_a_member_in(self):
        member = team_member("member")
        session = polar.member_sessions.create(
            request={"member_id": member["id"], "return_url": "https://example.com/account"}
        )
        self.assertEqual(session.member_id, member["id"])
        self.assertEqual(session.member.email, member["email"])
        self.assertEqual(session.member.role, models.MemberRole.MEMBER)
        self.assertEqual(session.customer_id, TEAM["id"])
        self.assertEqual(session.customer.organization_id, ORGANIZATION["id"])
        self.assertEqual(session.return_url, "https://example.com/account")
        self.assertEqual(session.expires_at - session.created_at, timedelta(hours=1))
        self.assertTrue(session.member_portal_url.startswith(f"{BASE_URL}/{ORGANIZATION['slug']}/portal?code="))
        user = polar.customer_portal.customer_session.get_authenticated_user(
            security={"member_session": session.token}
        )
        self.assertEqual((user.type, user.email, user.role), ("member", member["email"], "member"))
        seen = polar.customer_portal.customer_session.introspect(security={"member_session": session.token})
        self.assertEqual(seen.expires_at, session.expires_at)

    def test_create_for_an_unknown_member_is_a_validation_error_at_the_member_id(self):
        with self.assertRaises(models.HTTPValidationError) as caught:
            polar.member_sessions.create(request={"member_id": UNKNOWN_ID})
        self.assertEqual(caught.exception.data.detail[0].loc, ["body", "member_id"])
        self.assertEqual(caught.exception.data.detail[0].msg, "Member does not exist.")

    def test_a_customer_session_of_an_individual(self):
        session = polar.customer_sessions.create(request={"customer_id": INDIVIDUAL["id"]})
        self.assertEqual(session.customer_id, INDIVIDUAL["id"])
        self.assertIsNone(session.return_url)


class FlatMembers(unittest.TestCase):
    def test_create_get_list_update_delete(self):
        email = f"{unique('flat')}@example.com"
        member = polar.members.create_member(request={"customer_id": TEAM["id"], "email": email, "role": "member"})
        self.assertEqual(polar.members.get_member(id=member.id).email, email)
        listed = polar.members.list_members(customer_id=TEAM["id"], limit=100).result
        self.assertIn(member.id, [item.id for item in listed.items])
        updated = polar.members.update_member(id=member.id, member_update={"name": "Flat", "role": "billing_manager"})
        self.assertEqual((updated.name, updated.role), ("Flat", models.MemberRole.BILLING_MANAGER))
        polar.members.delete_member(id=member.id)
        with self.assertRaises(models.ResourceNotFound):
            polar.members.get_member(id=member.id)


if __name__ == "__main__":
    unittest.main()
