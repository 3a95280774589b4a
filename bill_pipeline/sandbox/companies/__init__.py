"""Invented companies: what they are (``trades``), what they do (``life``), their set-up.

Everything a person sees says "(invented)". Nothing here knows HTTP.
"""

from __future__ import annotations

from bill_pipeline.sandbox.companies.founding import add_invented_companies

__all__ = ["add_invented_companies"]
