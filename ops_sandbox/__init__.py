"""The outside world, played: a Web Connector, QuickBooks company files and a WooCommerce shop.

Written from the protocol reference alone, so that it shares no thinking with the
service that it rehearses. Of the product it imports `qbxml.grammar`, nothing else.
"""
