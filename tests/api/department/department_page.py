"""The page of a department's person."""

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.cookies import COOKIE
from db.engine import writing
from db.models import Department
from hotline.people import sign_ins
from tests.factories import of_department


def page_of_department(app: FastAPI, engine: Engine, department_id: int | None = None) -> TestClient:
    with writing(engine) as session:
        user = of_department(session, session.get(Department, department_id) if department_id else None)
        cookie = sign_ins.sign_in(session, user)
    return TestClient(app, base_url="http://test/api/v1", cookies={COOKIE: cookie})
