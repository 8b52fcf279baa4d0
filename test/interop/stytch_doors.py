"""Sessions out of what another party says: its signed tokens, its UserInfo, its access tokens, and impersonation."""

from stytch_demo import StytchTestCase, fixture, new_client

DOORS = fixture("doors")
client = new_client(**DOORS["project"])
sessions = client.sessions


def token_for(email: str, **claims) -> str:
    return fixture("outsideToken", {"email": email, **claims})


class Doors(StytchTestCase):
    @classmethod
    def setUpClass(cls):
        cls.member = fixture("makeTwoSignedIn", DOORS["project"])["member"]

    def proved_by(self, answer, factor_type: str, delivery_method: str):
        (factor,) = answer.member_session.authentication_factors
        self.assertEqual((factor.type, factor.delivery_method), (factor_type, delivery_method))
        self.assertEqual(answer.member_id, self.member["member_id"])
        self.assertEqual(sessions.authenticate_jwt_local(answer.session_jwt), answer.member_session)

    def test_attest(self):
        for source in ("jwks", "pem"):
            with self.subTest(source):
                request = {
                    "profile_id": DOORS["profiles"][source],
                    "token": token_for(self.member["email_address"]),
                    "organization_id": self.member["organization_id"],
                }
                self.proved_by(sessions.attest(**request), "trusted_auth_token", "trusted_token_exchange")
                self.refused(401, "invalid_trusted_auth_token", sessions.attest, **request)

    def test_migrate(self):
        token = fixture("bearerTokenOf", self.member["email_address"])
        answer = sessions.migrate(session_token=token, organization_id=self.member["organization_id"])
        self.proved_by(answer, "imported", "imported_auth0")

    def test_exchange_access_token(self):
        claims = {"scope": "full_access", "client_id": "app", "organization_id": self.member["organization_id"]}
        answer = sessions.exchange_access_token(access_token=token_for(self.member["email_address"], **claims))
        self.proved_by(answer, "oauth", "oauth_access_token_exchange")

    def test_impersonation(self):
        token = fixture("impersonationToken", self.member)
        answer = client.impersonation.authenticate(impersonation_token=token)
        self.proved_by(answer, "impersonated", "impersonation")
        self.assertEqual((answer.member_authenticated, answer.intermediate_session_token), (True, ""))
        extended = {"session_token": answer.session_token, "session_duration_minutes": 60}
        self.refused(403, "session_not_mutable", sessions.authenticate, **extended)
