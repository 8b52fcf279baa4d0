"""The running server as these tests see it: its demo organization, and people of a test's own."""

import json
import os
import uuid

with open(os.environ["LATCHKEY_DEMO"], encoding="utf-8") as file:
    DEMO = json.load(file)

BASE_URL = DEMO["base_url"]
API_KEY = DEMO["api_key"]
ORGANIZATION = DEMO["organization"]
TEAM = next(customer for customer in DEMO["customers"] if customer["type"] == "team")
INDIVIDUAL = next(customer for customer in DEMO["customers"] if customer["type"] == "individual")
UNKNOWN_ID = "0b9e7c6c-2f5e-4d7e-9c0f-1a2b3c4d5e6f"


def unique(name: str) -> str:
    """A name that no other test has; good as an external id and before an @."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def team_member(role: str) -> dict:
    return next(member for member in TEAM["members"] if member["role"] == role)
