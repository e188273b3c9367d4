"""Carriers: one file each; the contract is what differs between them."""
