"""Countries and cities: known only to a server that is told to keep geo data (``NB_DISABLE_GEOLOCATION=false``)."""

from typing import Any

from reconciler.simulator.call import Call
from reconciler.simulator.errors import invalid, precondition
from reconciler.simulator.registry import Area, Route
from reconciler.simulator.world import World

MISSING = "geo location database is not initialized"
MISSING_WITH_HINT = (
    f"{MISSING}. Check the self-hosted Geo database documentation at https://docs.netbird.io/selfhosted/geo-support"
)
CODE_LENGTH = 2

COUNTRIES = {"AT": "Austria", "CH": "Switzerland", "DE": "Germany", "FR": "France", "US": "United States"}
CITIES = {
    "AT": {"Graz": 2778067, "Vienna": 2761369},
    "CH": {"Bern": 2661552, "Zurich": 2657896},
    "DE": {"Berlin": 2950159, "Munich": 2867714},
    "FR": {"Lyon": 2996944, "Paris": 2988507},
    "US": {"New York": 5128581, "Seattle": 5809844},
}
"""A few places, with their GeoNames ids."""


def has_database(world: World) -> bool:
    """Whether the server has geo data."""
    return world.environment.get("NB_DISABLE_GEOLOCATION") == "false"


def list_countries(call: Call) -> Any:
    """``GET /locations/countries``: by name, for any caller."""
    if not has_database(call.world):
        raise precondition(MISSING)
    return [
        {"country_code": code, "country_name": name} for code, name in sorted(COUNTRIES.items(), key=lambda e: e[1])
    ]


def list_cities(call: Call) -> Any:
    """``GET /locations/countries/{code}/cities``: by name; the code is compared as it is, unknown ones have none."""
    code = call.path["code"]
    if len(code) != CODE_LENGTH or not (code.isascii() and code.isalpha()):
        raise invalid("invalid country code")
    if not has_database(call.world):
        raise precondition(MISSING_WITH_HINT)
    return [{"city_name": name, "geoname_id": number} for name, number in sorted(CITIES.get(code, {}).items())]


AREA = Area(
    routes=(
        Route("GET", "/locations/countries", list_countries),
        Route("GET", "/locations/countries/<code>/cities", list_cities),
    )
)
