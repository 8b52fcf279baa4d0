"""Member sessions: listed, authenticated, verified without the server, revoked."""

import asyncio
from datetime import datetime, timedelta, timezone

from demo import UNKNOWN_ID
from stytch_demo import PROJECT, StytchTestCase, fixture, new_client

client = new_client()
sessions = client.sessions


def jwt_of(signed_in: dict) -> str:
    return sessions.authenticate(session_token=signed_in["session_token"]).session_jwt


class Sessions(StytchTestCase):
    @classmethod
    def setUpClass(cls):
        people = fixture("makeTwoSignedIn")
        cls.admin, cls.member = people["admin"], people["member"]

    def test_get_lists_a_members_live_sessions(self):
        second = fixture("signInAgain", self.member)
        answer = sessions.get(self.member["organization_id"], self.member["member_id"])
        ids = {session.member_session_id for session in answer.member_sessions}
        self.assertLessEqual({self.member["member_session_id"], second["member_session_id"]}, ids)
        self.refused(404, "member_not_found", sessions.get, self.member["organization_id"], f"member-live-{UNKNOWN_ID}")

    def test_authenticate_by_token(self):
        answer = sessions.authenticate(session_token=self.admin["session_token"])
        session, member, organization = answer.member_session, answer.member, answer.organization
        self.assertEqual(session.member_session_id, self.admin["member_session_id"])
        self.assertEqual((member.member_id, member.is_admin), (self.admin["member_id"], True))
        self.assertEqual([role.role_id for role in member.roles], session.roles)
        self.assertEqual(session.authentication_factors, [])
        self.assertEqual(
            (organization.organization_id, organization.organization_slug),
            (self.admin["organization_id"], session.organization_slug),
        )
        self.assertEqual(answer.session_token, self.admin["session_token"])

    def test_authenticate_by_jwt_with_a_lifetime_and_claims(self):
        signed_in = fixture("signInAgain", self.member)
        answer = sessions.authenticate(
            session_jwt=jwt_of(signed_in),
            session_duration_minutes=90,
            session_custom_claims={"plan": "pro", "deep": {"a": 1, "b": None}},
        )
        self.assertEqual(answer.member_session.member_session_id, signed_in["member_session_id"])
        self.assertEqual(answer.member_session.custom_claims, {"plan": "pro", "deep": {"a": 1}})
        left = answer.member_session.expires_at - datetime.now(timezone.utc)
        self.assertAlmostEqual(left / timedelta(minutes=1), 90, delta=1)

    def test_authenticate_without_blocking(self):
        async def authenticate():
            async with new_client() as own:
                return await own.sessions.authenticate_async(session_token=self.member["session_token"])

        answer = asyncio.run(authenticate())
        self.assertEqual(answer.member_session.member_session_id, self.member["member_session_id"])

    def test_a_jwt_is_verified_without_the_server_and_says_what_the_server_says(self):
        remote = sessions.authenticate(
            session_token=self.member["session_token"], session_custom_claims={"plan": {"of": [1, "two"]}}
        )
        local = sessions.authenticate_jwt_local(remote.session_jwt)
        self.assertEqual(local, remote.member_session)
        answer = sessions.authenticate_jwt(remote.session_jwt)
        self.assertEqual((answer.member_session, answer.request_id), (local, ""))

    def test_an_expired_jwt_is_refreshed(self):
        expired = fixture("agedByAnHour", jwt_of(self.admin))
        self.assertIsNone(sessions.authenticate_jwt_local(expired))
        answer = sessions.authenticate_jwt(expired)
        self.assertEqual(answer.member_session.member_session_id, self.admin["member_session_id"])
        self.assertEqual(sessions.authenticate_jwt_local(answer.session_jwt), answer.member_session)

    def test_a_jwt_that_is_too_old_for_the_caller_is_authenticated_by_the_server(self):
        answer = sessions.authenticate_jwt(jwt_of(self.admin), max_token_age_seconds=0)
        self.assertRegex(answer.request_id, "^request-id-live-")

    def test_revoke_by_each_selector(self):
        for selector in ("member_session_id", "session_token", "session_jwt", "expired"):
            with self.subTest(selector):
                ended = fixture("signInAgain", self.member)
                ended["session_jwt"] = jwt_of(ended)
                named = {selector: ended.get(selector)}
                if selector == "expired":
                    named = {"session_jwt": fixture("agedByAnHour", ended["session_jwt"])}
                self.assertEqual(sessions.revoke(**named).status_code, 200)
                token = ended["session_token"]
                self.refused(404, "session_not_found", sessions.authenticate, session_token=token)
                self.refused(404, "session_not_found", sessions.revoke, **named)
        sessions.authenticate(session_token=self.member["session_token"])

    def test_revoke_by_member_id_ends_all_sessions(self):
        member = fixture("makeTwoSignedIn")["member"]
        sessions.revoke(member_id=member["member_id"])
        self.assertEqual(sessions.get(member["organization_id"], member["member_id"]).member_sessions, [])

    def test_jwks_have_every_member(self):
        (key, *_) = sessions.get_jwks(PROJECT["project_id"]).keys
        self.assertEqual((key.kty, key.use, key.alg, key.key_ops, key.x5c), ("RSA", "sig", "RS256", ["verify"], []))

    def test_refusals(self):
        self.refused(400, "no_session_arguments", sessions.authenticate)
        self.refused(400, "too_many_session_arguments", sessions.authenticate, session_token="a", session_jwt="b")
        self.refused(400, "invalid_session_token", sessions.authenticate, session_token="nonsense")
        token = self.member["session_token"]
        short = {"session_token": token, "session_duration_minutes": 4}
        self.refused(400, "invalid_session_duration_minutes", sessions.authenticate, **short)
        stranger = new_client(secret="nonsense")
        self.refused(401, "unauthorized_credentials", stranger.sessions.authenticate, session_token=token)
        self.refused(404, "route_not_found", client.magic_links.authenticate, magic_links_token="x")
