"""The running server as Stytch's SDK sees it, and fixtures of test/node/support, asked for over HTTP."""

import json
import os
import unittest
import urllib.request

from stytch import B2BClient
from stytch.core.response_base import StytchError


def fixture(name: str, *arguments):
    """@raises urllib.error.HTTPError when it could not be made"""
    address = f"{os.environ['STYTCH_FIXTURES']}/{name}"
    with urllib.request.urlopen(address, json.dumps(arguments).encode()) as response:
        return json.load(response)


PROJECT = fixture("project")


def new_client(**changes) -> B2BClient:
    """The SDK keeps policies and keys for minutes: whoever tests those wants a client of its own."""
    project = {**PROJECT, **changes}
    return B2BClient(project["project_id"], project["secret"], environment=f"{project['env']}/")


class StytchTestCase(unittest.TestCase):
    def refused(self, status_code: int, error_type: str, method, *args, **kwargs):
        with self.assertRaises(StytchError) as caught:
            method(*args, **kwargs)
        details = caught.exception.details
        self.assertEqual((details.status_code, details.error_type), (status_code, error_type))
        self.assertRegex(details.request_id, r"^request-id-live-[0-9a-f-]{36}$")
        self.assertTrue(details.error_message)
        self.assertTrue(details.error_url.endswith(f"#{error_type}"), details.error_url)
