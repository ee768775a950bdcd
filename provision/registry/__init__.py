"""People, bundles, orders, devices and what happened to them."""
