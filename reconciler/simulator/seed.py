"""Accounts to start with, built through the same requests and events that a person would use."""

from typing import Any

import httpx

from .app import Simulator

OWNER = {"email": "owner@example.com", "password": "owner-password", "name": "Owner"}
DAYS = 365


def bootstrap(simulator: Simulator) -> str:
    """Set up the account, its owner, and a service user ``nbsync`` (admin); returns that user's token."""
    setup = _send(simulator, "POST", "/api/setup", {**OWNER, "create_pat": True, "pat_expire_in": DAYS})
    owner = setup["personal_access_token"]
    service_user = {"name": "nbsync", "role": "admin", "is_service_user": True, "auto_groups": []}
    user = _send(simulator, "POST", "/api/users", service_user, owner)
    token = _send(simulator, "POST", f"/api/users/{user['id']}/tokens", {"name": "ci", "expires_in": DAYS}, owner)
    secret: str = token["plain_token"]
    return secret


def _send(simulator: Simulator, method: str, path: str, body: Any, token: str = "") -> Any:
    headers = {"Authorization": f"Token {token}"} if token else {}
    with httpx.Client(transport=simulator.transport(), base_url="http://simulator") as client:
        response = client.request(method, path, json=body, headers=headers)
    return response.raise_for_status().json()
