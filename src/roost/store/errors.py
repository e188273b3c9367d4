"""What can go wrong with the store, as its callers need to know it."""


class StoreError(Exception):
    """Root of what the store raises."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, is full or too busy: nothing was acknowledged, trying again later may work."""


class ContentRefused(StoreError):
    """The database is well but will not take this: a value it cannot hold. Trying again will not help."""


class NewerDatabase(StoreError):
    """The database was brought up to date by a newer Roost than this one."""


class WrongSecretKey(StoreError):
    """The secret key is not the one that this database's secrets were encrypted with."""


class UnsupportedDatabase(StoreError):
    """The database server is too old."""
