"""Open311's services and definitions, in both formats, for everybody."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.app import create
from db.engine import writing
from db.models import Category
from settings import Settings
from tests.api.open311.conftest import FORMATS, REPORT, V2, content, errors


def test_active_categories_are_listed_as_services(nobody: TestClient, engine: Engine) -> None:
    with writing(engine) as session:
        session.get_one(Category, 1).active = False
        session.get_one(Category, 2).questions = [{"fa": "کدام تیر؟", "en": "Which <pole>?"}]
        session.get_one(Category, 3).urgent = True
    as_json, as_xml = (nobody.get(f"{V2}/services.{form}?lang=en") for form in FORMATS)
    assert content(as_json) == content(as_xml)
    lighting, waste = as_json.json()[:2]
    assert len(as_json.json()) == 8
    # The names and kinds of the specification's own example.
    assert lighting == {
        "service_code": "lighting",
        "service_name": "Lighting and electricity",
        "description": "Answered within 2 working days, solved within 3 working days",
        "metadata": True,
        "type": "realtime",
        "keywords": "روشنایی و برق, Lighting and electricity",
        "group": None,
    }
    assert waste["metadata"] is False and "137" in waste["description"]
    assert "روشنایی" in nobody.get(f"{V2}/services.json").json()[0]["service_name"]

    as_json, as_xml = (nobody.get(f"{V2}/services/lighting.{form}?lang=en") for form in FORMATS)
    assert content(as_json) == content(as_xml)
    assert as_json.json() == {
        "service_code": "lighting",
        "attributes": [
            {
                "variable": True,
                "code": "q1",
                "datatype": "string",
                "required": False,
                "datatype_description": None,
                "order": 1,
                "description": "Which <pole>?",
                "values": [],
            }
        ],
    }
    assert b"<service_definition><service_code>lighting" in as_xml.content
    assert b"<attributes><attribute><variable>true</variable>" in as_xml.content


@pytest.mark.parametrize("form", FORMATS)
def test_unknown_address_gets_an_error_of_the_specification(
    nobody: TestClient, form: str, engine: Engine
) -> None:
    with writing(engine) as session:
        session.get_one(Category, 1).active = False
    for code in ("nothing", "streets", "x" * 100, "..", "%D8%A2", "a.b"):
        assert errors(nobody.get(f"{V2}/services/{code}.{form}"), 404) in ("service-unknown", "not-found")
    assert errors(nobody.get(f"{V2}/services/%00.{form}"), 400) == "invalid-input"
    assert errors(nobody.get(f"{V2}/services/{'x' * 101}.{form}"), 400) == "invalid-input"
    assert errors(nobody.get(f"{V2}/nothing.{form}"), 404) == "not-found"
    assert errors(nobody.delete(f"{V2}/requests.{form}"), 404) == "not-found"
    assert errors(nobody.get(f"{V2}/services.csv"), 400) == "invalid-input"
    assert errors(nobody.get(V2 + "/"), 404) == "not-found"


def test_other_jurisdiction_is_not_found(settings: Settings) -> None:
    app = create(settings.model_copy(update={"jurisdiction": "isfahan.ir"}))
    with TestClient(app, raise_server_exceptions=False) as client:
        for path in ("services.xml", "services/lighting.json", "requests/1.xml", "tokens/1.json"):
            found = client.get(f"{V2}/{path}?jurisdiction_id=shiraz.ir")
            assert errors(found, 404) == "jurisdiction-unknown"
        for own in ("", "?jurisdiction_id=", "?jurisdiction_id=Isfahan.ir"):
            assert client.get(f"{V2}/services.json{own}").status_code == 200


def test_any_jurisdiction_fits_a_city_without_a_name(program: TestClient) -> None:
    assert program.get(f"{V2}/services.json?jurisdiction_id=x").status_code == 200
    told = program.post(f"{V2}/requests.json", data={**REPORT, "jurisdiction_id": "x"})
    assert told.status_code == 201


def test_discovery_leads_here_in_both_formats(app: FastAPI, nobody: TestClient) -> None:
    as_json, as_xml = (nobody.get(f"/open311/discovery.{form}") for form in FORMATS)
    assert content(as_json) == content(as_xml)
    (endpoint,) = as_json.json()["endpoints"]
    assert endpoint["url"].endswith("/open311/v2") and endpoint["specification"].endswith("GeoReport_v2")
    assert endpoint["formats"] == ["text/xml", "application/json"]
