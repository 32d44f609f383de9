"""The message language of QuickBooks: grammar, writer, reader, values, status codes.

Knows neither the database nor what the messages are for.
"""
