"""The database: the queue of activities and all that is remembered about it.

All SQL lives here. Knows neither XML, nor SOAP, nor WooCommerce's JSON.
"""
