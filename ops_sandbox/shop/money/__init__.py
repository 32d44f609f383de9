"""WooCommerce's own arithmetic, by its published rules: taxes, coupons, totals, refunds.

Read from the source of WooCommerce (11.0): `WC_Tax`, `WC_Discounts`,
`WC_Cart_Totals`, `WC_Abstract_Order`, `WC_Order_Item_*`, `wc_create_refund`.
The simpler `ops_sandbox.shop.pricing` answers for the one recorded store; here
every setting counts that moves a cent.
"""
