"""What an order's incident code means: two octets of the signed order, so that a station shows and speaks it by itself.

0 says nothing. A code is never given another meaning; a code that a station does not know it shows as its number.
"""

INCIDENTS = {
    1: "fire",
    2: "medical",
    3: "road_accident",
    4: "rescue",
    5: "flood",
    6: "landslide",
    7: "earthquake",
    8: "tsunami",
    9: "hazardous_material",
    10: "electricity",
    11: "collapse",
    12: "sea_rescue",
    13: "storm",
    14: "disturbance",
}


def incident(code: int) -> str:
    """The name of a code: "fire"; "" for 0, the number itself for one of a later release."""
    return INCIDENTS.get(code, str(code) if code else "")
