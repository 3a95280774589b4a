"""Invented US vendor names by kind of vendor. No name is meant to be a real company's."""

from __future__ import annotations

import random

_PLACES = (
    "Alder Falls", "Brackwater", "Cinder Hill", "Dunmore Bay", "Elkhollow", "Fernbrook",
    "Garnet Ridge", "Harlow Creek", "Ironbluff", "Juniper Flats", "Kestrel Point", "Larkmoor",
    "Mossgate", "Northquay", "Osprey Bend", "Pinecross", "Quillback", "Redthorn", "Saltmarsh",
    "Tamarind Lake", "Underwood Pass", "Vantage Mesa", "Willowmere", "Yarrow Springs",
)  # fmt: skip
_PEOPLE = (
    "Abernath", "Bexley", "Calloway", "Drummore", "Eastling", "Farrowby", "Grantham-Lee",
    "Hollister-Vane", "Ingersby", "Jessamy", "Kilbride", "Lindqvist", "Marchetti-Oh", "Nakagori",
    "Okonjo-Bright", "Penhallow", "Quenneville", "Rosswell", "Szymanek", "Thackeray-Cole",
    "Ulvestad", "Vandermolen", "Wexcombe", "Zaragosa",
)  # fmt: skip

#: Sold to everyone: the same vendors at many companies.
NATIONAL: dict[str, tuple[str, ...]] = {
    "software": (
        "Ledgerleaf",
        "Stackpine Cloud",
        "Pixelmoor",
        "Tidywire",
        "Inboxfern",
        "Deskotter",
    ),
    "payroll": ("Paywillow Payroll Services", "Gridwage HR"),
    "phone": ("Northlink Telecom", "Brightcable Business", "Cellora Wireless"),
    "insurance": ("Granite Harbor Insurance", "Meadowlark Mutual", "Tri-Lakes Casualty"),
    "shipping": ("Swiftbarrow Freight", "Parcelhawk"),
    "warehouse_club": ("Bluebarrel Wholesale", "Officegrove Supply"),
    "advertising": ("Clickmeadow Ads", "Signalbloom Media"),
    "benefits": ("Cedarwell Benefits Group",),
}

_LOCAL: dict[str, tuple[str, ...]] = {
    "landlord": ("{place} Properties LLC", "{person} Realty Partners"),
    "power": ("{place} Power & Light", "{place} Electric Cooperative"),
    "water": ("{place} Water District", "City of {place} Utilities"),
    "accountant": ("{person} & {person2} CPAs", "{person} Tax Advisors"),
    "lawyer": ("{person}, {person2} LLP", "Law Office of {person}"),
    "cleaner": ("{place} Janitorial", "Sparrow & Broom {place}"),
    "contractor": ("{person} Contracting", "{person} Brothers Electric", "{place} Plumbing"),
    "equipment": ("{place} Equipment Co", "{person} Machinery"),
    "landscaper": ("{place} Grounds", "{person} Tree Care"),
    "food": ("{place} Produce", "{person} Dairy", "{place} Mill & Flour", "{person} Coffee"),
    "dental": ("{place} Dental Supply", "{person} Dental Lab", "{place} Imaging"),
    "nursery": ("{place} Nursery", "{person} Stone & Soil", "{place} Irrigation Supply"),
    "apparel": ("{place} Outfitters Wholesale", "{person} Textiles", "{place} Gear Works"),
    "brewing": ("{place} Malt House", "{person} Hops Farm", "{place} Bottle & Can"),
    "print": ("{place} Print Shop", "{person} Graphics"),
    "freelancer": ("{person} Consulting", "{person} Design Studio", "{person} Engineering"),
    "fuel": ("{place} Fuel & Oil", "{person} Truck Stop"),
    "agency": ("{place} County Clerk", "State of {place} Licensing Board"),
    "travel": ("{place} Travel Desk", "Wayfarer {place}"),
    "catering": ("{place} Catering", "{person} Deli"),
    "training": ("{place} Institute", "{person} Workshops"),
    "auto": ("{person} Auto Service", "{place} Tire"),
}  # fmt: skip


def vendor_name(kind: str, rng: random.Random) -> str:
    """A name for a vendor of one kind: national brands repeat between companies."""
    if kind in NATIONAL:
        return rng.choice(NATIONAL[kind])
    person, person2 = rng.sample(_PEOPLE, 2)
    place = rng.choice(_PLACES)
    return rng.choice(_LOCAL[kind]).format(place=place, person=person, person2=person2)


def place_name(rng: random.Random) -> str:
    return rng.choice(_PLACES)


def person_name(rng: random.Random) -> tuple[str, str]:
    first = ("Ana", "Ben", "Chioma", "Dev", "Elif", "Frank", "Grace", "Hugo", "Ines", "Jun")
    return rng.choice(first), rng.choice(_PEOPLE)
