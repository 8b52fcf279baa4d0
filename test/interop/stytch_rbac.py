"""What members may do: as the SDK finds by itself with the policies that it fetches, and as the server answers."""

from stytch.b2b.models.sessions import AuthorizationCheck, RevokeRequestOptions
from stytch.shared.method_options import Authorization
from stytch.shared.rbac_local import RBACPermissionError, TenancyError

from demo import UNKNOWN_ID
from stytch_demo import StytchTestCase, fixture, new_client


def check(signed_in: dict, resource_id: str, action: str) -> AuthorizationCheck:
    return AuthorizationCheck(
        organization_id=signed_in["organization_id"], resource_id=resource_id, action=action
    )


def acting_as(**credentials: str) -> RevokeRequestOptions:
    return RevokeRequestOptions(authorization=Authorization(**credentials))


class Rbac(StytchTestCase):
    def setUp(self):
        people = fixture("makeTwoSignedIn")
        self.admin, self.member = people["admin"], people["member"]
        self.client = new_client()
        self.sessions = self.client.sessions

    def test_what_is_allowed_is_so_here_and_there(self):
        for who, resource_id, action, roles in (
            (self.admin, "stytch.member", "revoke-sessions", ["stytch_admin"]),
            (self.member, "stytch.self", "update.info.name", ["stytch_member"]),
        ):
            asked = check(who, resource_id, action)
            remote = self.sessions.authenticate(session_token=who["session_token"], authorization_check=asked)
            self.assertEqual((remote.verdict.authorized, remote.verdict.granting_roles), (True, roles))
            local = self.sessions.authenticate_jwt_local(remote.session_jwt, authorization_check=asked)
            self.assertEqual(local, remote.member_session)

    def test_what_is_refused_is_so_here_and_there(self):
        elsewhere = {**self.member, "organization_id": f"organization-live-{UNKNOWN_ID}"}
        token = self.member["session_token"]
        for asked, error, error_type in (
            (check(self.member, "stytch.member", "delete"), RBACPermissionError, "session_authorization_error"),
            (check(elsewhere, "stytch.self", "delete"), TenancyError, "session_authorization_tenancy_error"),
        ):
            jwt = self.sessions.authenticate(session_token=token).session_jwt
            with self.assertRaises(error):
                self.sessions.authenticate_jwt_local(jwt, authorization_check=asked)
            authenticate = self.sessions.authenticate
            self.refused(403, error_type, authenticate, session_token=token, authorization_check=asked)

    def test_revoke_as_a_member(self):
        named = {"member_session_id": self.admin["member_session_id"]}
        as_member = acting_as(session_token=self.member["session_token"])
        self.refused(403, "session_authorization_error", self.sessions.revoke, **named, method_options=as_member)
        admins_jwt = self.sessions.authenticate(session_token=self.admin["session_token"]).session_jwt
        both = acting_as(session_token=self.admin["session_token"], session_jwt=admins_jwt)
        self.refused(400, "too_many_session_arguments", self.sessions.revoke, **named, method_options=both)
        ended = {"member_session_id": self.member["member_session_id"]}
        self.sessions.revoke(**ended, method_options=acting_as(session_jwt=admins_jwt))
        self.refused(404, "session_not_found", self.sessions.authenticate, session_token=self.member["session_token"])
