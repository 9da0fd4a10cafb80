"""From the ledger to the provider, and back: docs/delivery.md.

ledger      the states of a digest, and every way from one to the next
sending     batches of digests from claim to settled; flow: those that are on their way
letters     what is owed to people one by one
stopping    and streak, canaries, installation: what stops mail by itself
wire/       whoever carries the mail: SMTP, and providers over HTTP. It knows no ledger
feedback/   what providers tell later
"""
