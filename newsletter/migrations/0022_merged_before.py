# Which digests lost their papers to the mergings of before. Apart from the column, which locks the ledger until its
# migration is committed.

from django.db import migrations
from django.db.models import Exists, Max, OuterRef

AS_A_REASON = "its paper was merged into one that its reader had been told of twice"
OTHER_REASONS = [
    "the provider had refused it first, and its papers were set free",
    "it had been taken for unsent, and has no papers",
]
POSSIBLY_SENT = ["submitting", "accepted", "delivered", "bounced", "complained", "in_doubt"]


def say_so(apps, schema_editor):
    """One query for each paper that others were merged into. What a merging took away was a third mention: so its
    reader has the further mention of the paper that stayed, which few have.
    """
    Digest, DigestPaper, EditionPaper = (
        apps.get_model("newsletter", name) for name in ("Digest", "DigestPaper", "EditionPaper")
    )
    merged = apps.get_model("papers", "Merged").objects.order_by().values_list("paper").annotate(last=Max("merged_at"))
    left = Digest.objects.filter(status__in=POSSIBLY_SENT).exclude(reason__in=OTHER_REASONS)
    empty = left.filter(~Exists(DigestPaper.objects.filter(digest=OuterRef("pk"))))
    for paper, last in merged:
        empty.filter(
            submitted_at__lt=last,
            edition__in=EditionPaper.objects.filter(paper=paper).values("edition"),
            subscriber__in=DigestPaper.objects.filter(paper=paper, rising=True).values("subscriber"),
        ).update(merged_away=True)
    Digest.objects.filter(reason=AS_A_REASON).update(merged_away=True, reason="")


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0021_merged_away"),
        ("papers", "0010_words"),
    ]

    operations = [
        migrations.RunPython(say_so, migrations.RunPython.noop),
    ]
