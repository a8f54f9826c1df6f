"""What the tests need to run the real binary: processes, raw connections, load, Goridge frames."""
