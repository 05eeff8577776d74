"""A browser in which a number is signed in, without a code on its way."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.my import signed_in
from db.engine import writing
from db.models import CodeWay
from hotline.citizens import codes, sessions
from settings import Settings
from tests.factories import BROWSER


def page_of(app: FastAPI, engine: Engine, settings: Settings, number: str) -> TestClient:
    """The page of that number."""
    with writing(engine) as session:
        code = codes.ask(session, number, CodeWay.CALL, "fa", settings, browser=BROWSER)
        tokens = sessions.begin_session(session, code, "", settings)
    cookies = {signed_in.ACCESS: tokens.access}
    return TestClient(app, raise_server_exceptions=False, cookies=cookies)
