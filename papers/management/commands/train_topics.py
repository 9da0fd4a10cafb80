"""Learn topics from labelled papers."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from tqdm import tqdm

from papers import topics, training
from papers.models import Paper


class Command(BaseCommand):
    help = "Train the classifier of topics on labelled papers; it is put in use if it is no worse on later ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Train, measure and report; change nothing.")

    def handle(self, *_args: Any, dry_run: bool, **_options: Any) -> None:
        try:
            with tqdm(total=len(training.STEPS), bar_format="{l_bar}{bar}| {elapsed}", disable=None) as bar:
                outcome = training.train(partial(tell, bar))
        except training.NotEnoughPapersError as error:
            # Not a failure: the service begins like this, and topics come from phrases.
            self.stdout.write(f"Nothing was learnt. {error}")
            return
        self._report(outcome)
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")
            return
        if training.keep(outcome, at=timezone.now()).in_use:
            follow = partial(tqdm, total=Paper.objects.count(), unit=" papers", disable=None)
            self.stdout.write(f"Papers: {topics.assign_all(follow)} topic strengths changed.")

    def _report(self, outcome: training.Outcome) -> None:
        self.stdout.write(
            f"Learnt {len(outcome.learnt)} topics from {outcome.papers} papers until {outcome.trained_until}:"
            f" {', '.join(outcome.learnt)}."
        )
        self.stdout.write(f"Measured on {outcome.held_out} later papers, by title and abstract alone:")
        self.stdout.write(f"  {'':18} micro-F1  macro-F1  LRAP   precision@1")
        for name, measures in {"this model": outcome.candidate, **outcome.rivals}.items():
            self.stdout.write(
                f"  {name:18} {measures.micro_f1:.3f}     {measures.macro_f1:.3f}     {measures.ranking:.3f}"
                f"  {measures.first:.3f}"
            )
        self.stdout.write(outcome.verdict)


def tell(bar: "tqdm[Any]", words: str) -> None:
    bar.n = training.STEPS.index(words)
    bar.set_description_str(words)
