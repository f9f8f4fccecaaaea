"""One file a noun. Importing this package (Django's autodiscovery does) registers all of them."""
