"""The only SQL. SQLite and PostgreSQL behind one interface, `base.Store`."""
