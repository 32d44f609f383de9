"""The operator's side: settings, wiring, the service's process, the command line."""
