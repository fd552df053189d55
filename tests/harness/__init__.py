"""What the end-to-end tests stand on: a server under test, principals with real clients, signed raw requests, expectations."""
