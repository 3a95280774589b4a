"""The kinds of business the sandbox can invent: what they buy, how often, and what they sell.

A table of facts. ``life.py`` lives by it; amounts are whole dollars.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Purchase:
    """Something bought from a kind of vendor, posted to an account number.

    ``months``: 1 monthly, 3 quarterly, 12 yearly; 0 now and then, with ``weight``.
    """

    vendor_kind: str
    account: str
    descriptions: tuple[str, ...]
    low: int
    high: int
    months: int = 0
    weight: float = 1.0
    quantity: int = 0


@dataclass(frozen=True)
class Sale:
    """Something sold to customers, with its income account."""

    account: str
    description: str
    low: int
    high: int
    is_taxable: bool


@dataclass(frozen=True)
class Trade:
    """One kind of business. ``sales`` empty: it bills no customers through BILL."""

    kind: str
    names: tuple[str, ...]
    accounts: tuple[tuple[str, str, str], ...]
    purchases: tuple[Purchase, ...]
    departments: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    sales: tuple[Sale, ...] = ()
    tax_percent: float = 0.0


P = Purchase

#: What nearly every small company buys.
COMMON_PURCHASES: tuple[Purchase, ...] = (
    P("landlord", "6000", ("Rent {month}", "Monthly rent, suite {n}"), 1_800, 7_500, months=1),
    P("landlord", "6000", ("Common area maintenance {month}",), 120, 480, months=3),
    P("power", "6100", ("Electric service {month}", "Acct {n} electricity"), 140, 900, months=1),
    P("water", "6100", ("Water and sewer {month}",), 60, 260, months=3),
    P("phone", "6150", ("Business internet {month}", "Phone lines {month}"), 90, 380, months=1),
    P("payroll", "6200", ("Payroll processing {month}", "HR platform {month}"), 80, 420, months=1),
    P("benefits", "6250", ("Group health premium {month}",), 900, 3_800, months=1),
    P("software", "6300", ("Subscription {month}", "{n} seats, {month}"), 40, 600, months=1),
    P("software", "6300", ("Annual plan renewal",), 600, 2_900, months=12),
    P("insurance", "6400", ("General liability premium", "Policy {n} installment"), 450, 1_900, 3),
    P("insurance", "1300", ("Annual property policy, prepaid",), 2_400, 7_000, months=12),
    P("accountant", "6500", ("Monthly bookkeeping {month}",), 350, 1_200, months=1),
    P("accountant", "6500", ("Tax return preparation",), 1_200, 3_500, months=12),
    P("cleaner", "6650", ("Cleaning {month}",), 180, 650, months=1),
    P("agency", "6950", ("Business license renewal", "Permit {n}"), 60, 700, months=12),
    P("warehouse_club", "6600", ("Printer paper and toner", "Desk supplies", "Envelopes"), 25, 320),
    P("warehouse_club", "6760", ("Staff lunch platters", "Coffee and snacks"), 30, 240, weight=0.6),
    P("warehouse_club", "6650", ("Paper towels, cleaning fluid",), 20, 180, weight=0.5),
    P("warehouse_club", "1500", ("Standing desk and chairs",), 900, 2_600, weight=0.06),
    P("lawyer", "6510", ("Contract review", "Matter {n}: services"), 400, 3_800, weight=0.25),
    P(
        "contractor",
        "6050",
        ("Repair of {n} lighting fixtures", "Service call"),
        150,
        1_900,
        0,
        0.5,
    ),
    P("advertising", "6700", ("Campaign {month}", "Search ads {month}"), 150, 1_800, weight=0.6),
    P("print", "6700", ("Flyers and brochures", "Signage"), 80, 900, weight=0.3),
    P("travel", "6750", ("Airfare {n}", "Hotel, {n} nights"), 180, 1_600, weight=0.4),
    P("training", "6900", ("Workshop for {n} staff",), 120, 1_400, weight=0.2),
    P("equipment", "1500", ("New equipment, serial {n}",), 2_600, 14_000, weight=0.08),
    P("equipment", "7100", ("Equipment rental {month}",), 120, 900, weight=0.3),
    P("shipping", "5100", ("Inbound freight", "Freight, {n} pallets"), 60, 900, weight=0.6),
)

_BAKERY = (
    P(
        "food",
        "5000",
        ("Flour and sugar", "Produce delivery", "Milk and cream"),
        120,
        1_500,
        0,
        9,
        12,
    ),
    P("warehouse_club", "5010", ("Cups, lids, bags",), 60, 420, weight=1.5, quantity=6),
    P("contractor", "6050", ("Oven service",), 180, 900, weight=0.4),
)
_DENTAL = (
    P("dental", "5000", ("Composite and adhesives", "Gloves and masks"), 150, 2_200, 0, 6, 10),
    P("dental", "5020", ("Crowns and bridges, case {n}", "Night guard, case {n}"), 90, 1_400, 0, 6),
    P("dental", "1500", ("Intraoral camera",), 3_200, 9_800, weight=0.08),
)
_LANDSCAPE = (
    P("nursery", "5000", ("Shrubs and perennials", "Mulch, {n} yards"), 150, 3_800, 0, 6, 10),
    P("landscaper", "5200", ("Tree removal crew", "Irrigation subcontract"), 400, 5_200, weight=3),
    P("fuel", "7000", ("Diesel {month}", "Fuel cards {month}"), 180, 1_300, months=1),
    P("auto", "7000", ("Truck service, unit {n}", "Tires"), 140, 1_500, weight=0.8),
)
_STUDIO = (
    P("freelancer", "5200", ("Drafting {month}", "Structural review, job {n}"), 600, 6_500, 0, 5),
    P("print", "5030", ("Plan sets", "Large format prints"), 60, 620, weight=2.5),
    P("software", "6300", ("CAD licenses, {n} seats",), 900, 3_400, months=3),
)
_OUTDOOR = (
    P("apparel", "1200", ("Jackets, spring order", "Packs, style {n}"), 600, 9_000, 0, 6, 24),
    P("shipping", "5110", ("Outbound parcels {month}",), 280, 2_400, months=1),
    P("advertising", "6700", ("Social ads {month}",), 400, 3_800, months=1),
    P("warehouse_club", "5010", ("Shipping boxes and tape",), 60, 520, weight=1.4),
)
_BREWERY = (
    P("brewing", "1200", ("Two-row malt", "Hops, lot {n}", "Cans, pallet"), 300, 5_400, 0, 7, 20),
    P("brewing", "5000", ("Yeast pitch",), 90, 380, weight=1.5),
    P("power", "6100", ("Natural gas {month}",), 240, 1_600, months=1),
    P("agency", "6960", ("Excise tax {month}",), 180, 1_900, months=3),
)
_SOFTWARE = (
    P("software", "5040", ("Hosting {month}", "Compute usage {month}"), 700, 6_800, months=1),
    P("freelancer", "5200", ("Development {month}", "Design sprint {n}"), 1_200, 9_500, 0, 5),
    P("catering", "6760", ("Team lunch", "Offsite catering"), 120, 900, weight=1.0),
)

TRADES: tuple[Trade, ...] = (
    Trade(
        "bakery café",
        ("Copper Whisk Bakery", "Morning Finch Café"),
        (("4100", "Café Sales", "INCOME"), ("5010", "Packaging", "COST_OF_GOODS_SOLD")),
        (*COMMON_PURCHASES, *_BAKERY),
        locations=("Main Street", "Riverside"),
    ),
    Trade(
        "landscaping",
        ("Greenheron Landscapes", "Stonefen Gardens"),
        (("4200", "Design Fees", "INCOME"), ("4210", "Maintenance Contracts", "INCOME")),
        (*COMMON_PURCHASES, *_LANDSCAPE),
        departments=("Install", "Maintenance"),
        classes=("Residential", "Commercial"),
        sales=(
            Sale("4200", "Garden design", 900, 6_500, is_taxable=False),
            Sale("4210", "Grounds maintenance", 250, 1_800, is_taxable=True),
            Sale("4000", "Plants and materials", 200, 3_900, is_taxable=True),
        ),
        tax_percent=6.25,
    ),
    Trade(
        "dental practice",
        ("Tidewater Smiles Dental", "Birchlane Dentistry"),
        (("4110", "Patient Fees", "INCOME"), ("5020", "Lab Fees", "COST_OF_GOODS_SOLD")),
        (*COMMON_PURCHASES, *_DENTAL),
        departments=("Hygiene", "Restorative", "Front Office"),
    ),
    Trade(
        "software consultancy",
        ("Lanternfish Software", "Otterbyte Consulting"),
        (("4300", "Consulting Income", "INCOME"), ("5040", "Hosting", "COST_OF_GOODS_SOLD")),
        (*COMMON_PURCHASES, *_SOFTWARE),
        departments=("Delivery", "Product", "General"),
        sales=(
            Sale("4300", "Consulting services", 1_500, 18_000, is_taxable=False),
            Sale("4000", "Software license", 600, 4_800, is_taxable=True),
        ),
        tax_percent=8.875,
    ),
    Trade(
        "architecture studio",
        ("Plumbline Architects", "Halfmoon Studio"),
        (("4310", "Design Income", "INCOME"), ("5030", "Reproduction", "COST_OF_GOODS_SOLD")),
        (*COMMON_PURCHASES, *_STUDIO),
        classes=("Schools", "Housing", "Civic"),
    ),
    Trade(
        "outdoor goods shop",
        ("Trailwren Outfitters", "Cairn & Kettle"),
        (
            ("5010", "Packaging", "COST_OF_GOODS_SOLD"),
            ("5110", "Freight Out", "COST_OF_GOODS_SOLD"),
        ),
        (*COMMON_PURCHASES, *_OUTDOOR),
        locations=("Warehouse", "Store"),
    ),
    Trade(
        "craft brewery",
        ("Foxglove Brewing", "Low Tide Ales"),
        (("4120", "Taproom Sales", "INCOME"), ("6960", "Excise Taxes", "EXPENSE")),
        (*COMMON_PURCHASES, *_BREWERY),
        departments=("Brewhouse", "Taproom"),
    ),
)
