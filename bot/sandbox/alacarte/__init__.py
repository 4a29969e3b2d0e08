"""The sandbox's sample system, A La Carte Chat: its database, its customers, and the faults that can be planted."""

from bot.sandbox.alacarte.checking import subscription_check
from bot.sandbox.alacarte.customers import CUSTOMERS, Customer
from bot.sandbox.alacarte.faults import FAULTS, Planted, plant, settle
from bot.sandbox.alacarte.system import SYSTEM

__all__ = ["CUSTOMERS", "FAULTS", "SYSTEM", "Customer", "Planted", "plant", "settle", "subscription_check"]
