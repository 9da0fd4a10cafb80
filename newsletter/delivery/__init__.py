"""From the ledger to the provider, and back: docs/delivery.md.

ledger      the states of a digest, and every way from one to the next; statements: the two hot ones in SQL;
            invariants: what must hold of its rows
sending     batches of digests from claim to settled; flow: those that are on their way; pace: no faster than is allowed
repeats     doubts that a provider can still end
letters     what is owed to people one by one
stopping    and streak, canaries, installation: what stops mail by itself; alarms: who is told of it
decisions   what operators decide of editions
wire/       whoever carries the mail: SMTP, and providers over HTTP. It knows no ledger
feedback/   what providers tell later
"""
