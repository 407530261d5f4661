"""Parameters that operations of several slices share."""

from __future__ import annotations

from bough.web.routing import Parameter

BRANCH_KEY = Parameter(
    name="branch_key", meaning="The app's key for the environment; `app_id` may stand in its place.", required=True
)
ACCESS_TOKEN = Parameter(name="Access-Token", meaning="A user's token.", required=True, place="header")
BRANCH_SECRET = Parameter(name="branch_secret", meaning="The secret of that key.", required=True)
KEY_IN_PATH = Parameter(name="branch_key", meaning="The app's key.", required=True, place="path")
KEY_IN_QUERY = Parameter(name="branch_key", meaning="The app's key.", required=True, place="query")
SECRET_IN_QUERY = Parameter(name="branch_secret", meaning="The secret of that key.", required=True, place="query")
URL_IN_QUERY = Parameter(name="url", meaning="The link's address.", required=True, place="query")
