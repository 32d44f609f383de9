"""A played QuickBooks Point of Sale company, to rehearse and to test against."""

from ops_sandbox.pos.company import PosCompanyFile
from ops_sandbox.pos.dialect import PosDialect

__all__ = ["PosCompanyFile", "PosDialect"]
