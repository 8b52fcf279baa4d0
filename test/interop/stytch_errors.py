"""What the SDK makes of a refusal: it drops all that an error tells if one field of it is missing."""

import asyncio

from stytch.core.response_base import StytchError

from stytch_demo import StytchTestCase, new_client


class Errors(StytchTestCase):
    def test_what_is_not_offered_is_told_so(self):
        client = new_client()
        for method, arguments in (
            (client.magic_links.authenticate, {"magic_links_token": "x"}),
            (client.passwords.strength_check, {"password": "x"}),
            (client.sso.get_connections, {"organization_id": "a b/c"}),
            (client.sso.delete_connection, {"organization_id": "a", "connection_id": "b"}),
        ):
            with self.subTest(method.__qualname__):
                self.refused(404, "route_not_found", method, **arguments)

    def test_without_blocking(self):
        """By another HTTP client, which reads nothing that is not called JSON."""

        async def ask():
            async with new_client() as client:
                await client.magic_links.authenticate_async(magic_links_token="x")

        with self.assertRaises(StytchError) as caught:
            asyncio.run(ask())
        self.assertEqual(caught.exception.details.error_type, "route_not_found")


if __name__ == "__main__":
    import unittest

    unittest.main()
