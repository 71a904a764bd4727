"""`python -m tests.sandbox.api`: serve until told to stop."""

from aiohttp import web

from tests.sandbox.api.app import application
from tests.sandbox.passwords import passwords
from tests.sandbox.settings import load_settings


def main() -> None:
    settings = load_settings()
    app = application(settings, passwords(settings))
    web.run_app(app, host="127.0.0.1", port=settings.api_port, print=None, access_log=None)


if __name__ == "__main__":
    main()
