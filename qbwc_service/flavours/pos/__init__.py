"""QuickBooks Point of Sale, qbposXML 3.0."""
