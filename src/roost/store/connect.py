"""The store that the settings ask for."""

import secrets

from roost.config import Config, ConfigError
from roost.store.base import Clock, RandomBits, Store
from roost.store.vault import open_vault


def make_store(config: Config, clock: Clock, random_bits: RandomBits = secrets.randbits) -> Store:
    """Not opened yet. Raises ConfigError. Each driver is imported only where it is used."""
    try:
        vault = open_vault(config.data_dir, config.secret_key)
    except ValueError as error:
        where = "ROOST_SECRET_KEY" if config.secret_key else str(config.data_dir / "secret.key")
        raise ConfigError(f"{where} cannot be used: {error}") from None
    except OSError as error:
        raise ConfigError(f"ROOST_DATA_DIR {config.data_dir} cannot be used: {error.strerror}") from None
    if config.database_url == "sqlite":
        from roost.store.sqlite import SqliteStore

        return SqliteStore(config.data_dir / "roost.db", vault, clock, random_bits)
    from roost.store.postgres import PostgresStore

    return PostgresStore(config.database_url, vault, clock, random_bits, has_siblings=config.processes > 1)
