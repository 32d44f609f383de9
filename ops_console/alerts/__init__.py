"""Telling people what is not as it should be: what a message says, the ways that it goes, and the round that sends it."""
