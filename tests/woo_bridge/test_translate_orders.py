"""WooCommerce's order JSON to `Order`."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from queue_store.payloads import Order, encode
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order

from conftest import DATA, deliveries, recorded
