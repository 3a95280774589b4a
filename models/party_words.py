"""Facts about words in company names: abbreviations, trade names, words that prove nothing.

Tables only; how they are weighed is in ``parties``.
"""

from __future__ import annotations

ABBREVIATIONS = {
    "svc": "services", "svcs": "services", "serv": "services", "service": "services",
    "srvcs": "services", "intl": "international", "int'l": "international", "mfg": "manufacturing",
    "mfrs": "manufacturers", "assoc": "associates", "assocs": "associates", "assn": "association",
    "natl": "national", "nat'l": "national", "dept": "department", "univ": "university",
    "ctr": "center", "centre": "center", "mgmt": "management", "mgt": "management",
    "bros": "brothers", "bro": "brothers", "tech": "technologies", "technology": "technologies",
    "techs": "technologies", "sys": "systems", "system": "systems", "ins": "insurance",
    "elec": "electric", "electrical": "electric", "mkt": "market", "mktg": "marketing",
    "comm": "communications", "comms": "communications", "communication": "communications",
    "constr": "construction", "const": "construction", "eng": "engineering",
    "engrg": "engineering", "equip": "equipment", "dist": "distribution",
    "distrib": "distribution", "hosp": "hospital", "hwy": "highway", "ind": "industries",
    "inds": "industries", "industry": "industries", "labs": "laboratories", "lab": "laboratories",
    "med": "medical", "st": "saint", "mt": "mount", "ft": "fort", "prop": "properties",
    "props": "properties", "property": "properties", "prod": "products", "prods": "products",
    "product": "products", "pub": "publishing", "rest": "restaurant", "sol": "solutions",
    "solns": "solutions", "solution": "solutions", "sup": "supply", "supplies": "supply",
    "transp": "transportation", "trans": "transportation", "whse": "warehouse",
    "whsl": "wholesale", "govt": "government", "cnty": "county", "twp": "township",
    "soc": "society", "cttee": "committee", "cmte": "committee", "dem": "democratic",
    "acctg": "accounting", "adv": "advertising", "amer": "american", "auth": "authority",
    "bldg": "building", "bldrs": "builders", "bus": "business", "cap": "capital", "comml":
    "commercial", "corp": "corporation", "dev": "development", "dvlpmt": "development",
    "env": "environmental", "fin": "financial", "gen": "general", "grp": "group", "hldgs":
    "holdings", "holding": "holdings", "info": "information", "inst": "institute", "inv":
    "investments", "lbr": "lumber", "mach": "machinery", "maint": "maintenance", "mtr": "motor",
    "pkg": "packaging", "plbg": "plumbing", "plmbg": "plumbing", "refrig": "refrigeration",
    "rlty": "realty", "sch": "school", "sec": "security", "tel": "telephone", "util": "utilities",
    "utility": "utilities", "wtr": "water", "pwr": "power", "lt": "light",
}  # fmt: skip

# Names under which well-known companies also bill. Key and value in the form of ``vendor_key``.
TRADE_NAMES = {
    "aws": "amazon web services", "aws emea": "amazon web services",
    "amazon web services emea": "amazon web services", "amzn mktp": "amazon",
    "amzn mktp us": "amazon", "amazon com": "amazon", "amazon marketplace": "amazon",
    "amazon mktplace": "amazon", "amazon mktplace pmts": "amazon", "amazon com services": "amazon",
    "federal express": "fedex", "fedex office": "fedex office", "fed ex": "fedex",
    "united parcel services": "ups", "united parcel": "ups", "usps": "postal services",
    "united states postal services": "postal services", "us postal services": "postal services",
    "international business machines": "ibm", "hewlett packard": "hp", "hp inc": "hp",
    "at and t": "att", "at t": "att", "american telephone and telegraph": "att",
    "pge": "pacific gas and electric", "pg and e": "pacific gas and electric",
    "coned": "consolidated edison", "con edison": "consolidated edison",
    "con ed": "consolidated edison", "amex": "american express",
    "msft": "microsoft", "ms office": "microsoft", "google cloud emea": "google cloud",
    "gsuite": "google workspace", "google gsuite": "google workspace", "g suite":
    "google workspace", "facebook": "meta platforms", "facebk": "meta platforms",
    "meta": "meta platforms", "facebook ads": "meta platforms", "fb ads": "meta platforms",
    "automatic data processing": "adp", "state farm mutual automobile insurance": "state farm",
    "state farm insurance": "state farm", "ge": "general electric", "gm": "general motors",
    "bofa": "bank of america", "boa": "bank of america", "jpmorgan chase bank": "chase bank",
    "chase": "chase bank", "jpmorgan chase": "chase bank", "jp morgan chase": "chase bank",
    "pwc": "pricewaterhousecoopers", "ey": "ernst and young",
    "kpmg peat marwick": "kpmg", "deloitte and touche": "deloitte",
    "the home depot": "home depot", "homedepot com": "home depot", "lowes home centers": "lowes",
    "lowe s": "lowes", "wal mart": "walmart", "wm supercenter": "walmart", "wal mart stores":
    "walmart", "walmart stores": "walmart", "wm": "waste management", "irs":
    "internal revenue services", "us treasury irs": "internal revenue services",
    "bcbs": "blue cross blue shield", "blue cross and blue shield": "blue cross blue shield",
    "uhc": "unitedhealthcare", "united healthcare": "unitedhealthcare",
    "united health care": "unitedhealthcare", "verizon wireless": "verizon wireless",
    "vzw": "verizon wireless", "vzwrlss": "verizon wireless", "tmobile": "t mobile",
    "qbo": "intuit quickbooks", "quickbooks": "intuit quickbooks",
    "quickbooks online": "intuit quickbooks", "intuit qbo": "intuit quickbooks",
    "mcdonald s": "mcdonalds", "dunkin donuts": "dunkin", "sw airlines": "southwest airlines",
    "southwest air": "southwest airlines", "united air": "united airlines", "delta air":
    "delta air lines", "delta airlines": "delta air lines", "delta": "delta air lines",
    "american air": "american airlines", "3m": "minnesota mining and manufacturing",
    "pnc": "pnc bank", "us bancorp": "us bank", "hsbc usa": "hsbc", "staples advantage":
    "staples", "staples business advantage": "staples", "staples contract and commercial":
    "staples", "office depot business": "office depot", "odp business solutions": "office depot",
    "ww grainger": "grainger", "w w grainger": "grainger", "cdw direct": "cdw", "cdw government":
    "cdw", "dell marketing": "dell", "dell technologies": "dell", "dell usa": "dell",
    "comcast cable": "comcast", "xfinity": "comcast", "comcast business": "comcast", "charter":
    "spectrum", "charter communications": "spectrum", "spectrum business": "spectrum",
    "linkedin ireland": "linkedin", "atlassian pty": "atlassian",
    "zoom us": "zoom", "zoom video communications": "zoom", "slack technologies": "slack",
    "dropbox international": "dropbox", "docusign com": "docusign", "adobe systems": "adobe",
    "adobe systems software ireland": "adobe", "sfdc": "salesforce", "salesforce com":
    "salesforce", "bill com": "bill", "billcom": "bill", "ford motor credit": "ford credit",
    "paychex of new york": "paychex", "mailchimp": "mailchimp", "rocket science group":
    "mailchimp", "intuit mailchimp": "mailchimp", "doordash com": "doordash", "uber trip": "uber",
    "uber technologies": "uber", "uber us": "uber", "lyft ride": "lyft", "sq": "square",
    "block square": "square", "squareup": "square", "godaddy com": "godaddy",
    "dhl worldwide express": "dhl express", "siriusxm": "sirius xm",
    "coca cola company": "coca cola", "pepsi": "pepsico", "pepsi cola": "pepsico",
    "anthem bcbs": "anthem", "california edison": "southern california edison", "sce":
    "southern california edison", "fpl": "florida power and light", "ladwp":
    "los angeles department of water and power", "dwp":
    "los angeles department of water and power", "edd": "employment development department",
    "ftb": "franchise tax board", "hubspot ireland": "hubspot", "twilio sendgrid": "sendgrid",
}  # fmt: skip

# Words that many companies carry: their presence or absence hardly tells two parties apart.
WEAK_WORDS = frozenset({
    "and", "the", "of", "for", "usa", "us", "america", "group", "holdings", "services",
    "international", "company", "corporation", "incorporated", "limited", "inc", "llc", "ltd",
    "co", "com", "www", "net", "online", "enterprises", "partners", "uk", "ireland", "emea",
    "global", "worldwide", "trading", "na", "at", "committee",
})  # fmt: skip

# Words that tell two branches, units or sister companies apart when they differ.
TELLING_WORDS = frozenset({
    "north", "south", "east", "west", "northern", "southern", "eastern", "western", "upper",
    "lower", "first", "second", "third", "fourth", "fifth", "senior", "junior", "county", "city",
    "town", "state", "federal", "university", "college", "school", "church", "saint",
})  # fmt: skip
