"""Many spellings, one mailbox. Only for counting: two people may well share what this returns. Pure."""

WITHOUT_DOTS = {"gmail.com"}
SAME_DOMAIN = {"googlemail.com": "gmail.com"}


def mailbox(email: str) -> str:
    """What all spellings that reach this mailbox have in common: no tag after a plus, no dots where they do not count.

    https://support.google.com/mail/answer/7436150, RFC 5233
    """
    local, _, domain = email.casefold().rpartition("@")
    domain = SAME_DOMAIN.get(domain, domain)
    local = local.partition("+")[0] or local
    return f"{local.replace('.', '') if domain in WITHOUT_DOTS else local}@{domain}"
