"""How activities are spelt in one QuickBooks product or the other."""
