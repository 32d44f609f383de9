"""The whole road on one machine: the real service, with everything outside of it played."""
