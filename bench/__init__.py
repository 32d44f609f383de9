"""Benchmarks: how many calls, how much memory and how much time the product takes, and against what.

They measure the product as it is served, in a process of its own, on loopback only.
"""
