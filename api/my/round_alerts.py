"""A citizen's wish to hear of an office's next round."""

from fastapi import APIRouter

from api.access import Reading
from api.ids import PathId
from api.my import round_alert_schemas as wire
from api.my.signed_in import Acting, Citizen
from hotline.citizens import round_alerts

router = APIRouter(prefix="/my/wishes", tags=["my"])


@router.get("")
def list_wishes(citizen: Citizen, session: Reading) -> list[wire.OfficeWish]:
    """The offices that hold rounds, the mayor's first, with my wishes."""
    return [
        wire.OfficeWish(
            official_id=official.id,
            office_fa=official.office_fa,
            office_en=official.office_en,
            asked_at=wish.asked_at if wish else None,
        )
        for official, wish in round_alerts.list_offices(session, citizen.number)
    ]


@router.put("/{official_id}", status_code=204)
def wish(official_id: PathId, body: wire.WishIn, citizen: Citizen, session: Acting) -> None:
    """Wish for one text message when the office's next round is announced. Repeating is harmless."""
    round_alerts.add_wish(session, citizen.number, official_id, body.language)


@router.delete("/{official_id}", status_code=204)
def leave_wish(official_id: PathId, citizen: Citizen, session: Acting) -> None:
    """Withdraw the wish."""
    round_alerts.leave(session, citizen.number, official_id)
