"""Papers get the topics that a reader would give them."""

import pytest
from django.utils.translation import override

from papers.models import Paper, PaperTopic, Topic
from papers.sources.shapes import Parsed
from papers.topics import Classifier, assign, assign_all

# Judged by reading each seed: the beginning of its title, and the topics that may stand first.
FIRST_TOPICS = {
    "A Deep Neural Network for SSVEP": {"brain-signals"},
    "Scalable Bayesian Uncertainty": {"bayesian-uncertainty", "molecules-materials"},
    "Liquid Neural Network-based": {"continual-learning", "neural-differential-equations", "networks-systems"},
    "CHGNet": {"molecules-materials", "graph-neural-networks"},
    "PhaseNet": {"earth-climate"},
    "The Application of Artificial": {"earth-climate"},
    "CheckerPose": {"computer-vision"},
    "Protecting Intellectual Property": {"security-cryptography", "brain-signals"},
    "Event-based Temporally Dense": {"computer-vision", "spiking-neuromorphic"},
    "Document AI": {"language-models", "computer-vision"},
    "Application of Deep Learning in": {"medicine", "language-models"},
    "Statistical mechanics of": {"statistical-physics-of-learning", "continual-learning"},
    "MgNO": {"scientific-machine-learning"},
    "Utility-Probability Duality": {"deep-learning-theory"},
    "Wide and Deep Neural Networks": {"deep-learning-theory"},
    "Pointer Networks": {"sequence-models", "algorithms-optimization"},
    "Dense Hebbian": {"statistical-physics-of-learning"},
    "Parallel Learning by": {"statistical-physics-of-learning"},
    "The Principles of Deep Learning": {"deep-learning-theory"},
    "On Neural Differential": {"neural-differential-equations"},
    "Neural Circuit Diagrams": {"architectures-training"},
    "Going Beyond Neural Network": {"interpretability"},
    "PROSE": {"scientific-machine-learning"},
    "Lagrangian PINNs": {"scientific-machine-learning"},
    "Task structure and": {"interpretability", "deep-learning-theory"},
    "Outliers with Opposing": {"architectures-training", "deep-learning-theory"},
    "Towards Exact Computation": {"deep-learning-theory"},
    "A Deep Look into Neural": {"recommendation-search"},
    "Magnitude Invariant": {"architectures-training"},
    "Opening the Blackbox": {"neural-differential-equations"},
    "Convergent Learning": {"interpretability"},
    "PIG: Physics-Informed": {"scientific-machine-learning"},
    "Codebook Features": {"interpretability"},
    "Scale Mixtures": {"bayesian-uncertainty", "deep-learning-theory"},
    "Martingale Posterior": {"bayesian-uncertainty"},
    "A Survey of Quantization": {"efficient-ml"},
    "Neural Fields in Robotics": {"computer-vision", "robotics"},
    "Backpropagation-free": {"spiking-neuromorphic", "architectures-training"},
    "Activation Space": {"architectures-training"},
    "Deep neural networks as nested": {"neural-differential-equations", "mathematics", "neuroscience"},
    "Understanding the differences": {"sequence-models"},
    "Continual Learning with": {"continual-learning"},
    "Neural Tangent Kernel": {"deep-learning-theory"},
    "Deep Interest Network": {"recommendation-search"},
    "Ensembles of Compact": {"spiking-neuromorphic", "robotics"},
    "Stable Neural Stochastic": {"time-series", "neural-differential-equations"},
    "Using Degeneracy": {"interpretability"},
    "Grokking as": {"deep-learning-theory"},
    "Scalable Neural Network Kernels": {"architectures-training"},
    "Learned feature representations": {"interpretability"},
    "NeuralStagger": {"scientific-machine-learning"},
    "Towards Cross Domain": {"continual-learning", "scientific-machine-learning"},
    "All You Need is a Good": {"bayesian-uncertainty"},
    "A brain basis": {"neuroscience"},
}


def slugs(
    topics: dict[str, Topic], title: str, abstract: str = "", categories: tuple[str, ...] = ()
) -> dict[str, float]:
    by_id = {topic.pk: slug for slug, topic in topics.items()}
    found = Classifier(topics.values()).classify(title, abstract, categories)
    return {by_id[one.topic_id]: one.strength for one in found}


def test_every_seed_has_a_sensible_first_topic(topics: dict[str, Topic], seeds: Parsed) -> None:
    wrong = {}
    for record in seeds.records:
        expected = next(value for start, value in FIRST_TOPICS.items() if record.title.startswith(start))
        found = slugs(topics, record.title, record.abstract)
        if not found or next(iter(found)) not in expected:
            wrong[record.title] = found
    assert len(FIRST_TOPICS) == len(seeds.records)
    assert wrong == {}


def test_a_power_transformer_is_no_language_model(topics: dict[str, Topic]) -> None:
    found = slugs(
        topics, "Transformer faults in the power grid", "Each power transformer has cells and draws attention."
    )
    assert next(iter(found)) == "algorithms-optimization"
    assert not {"language-models", "sequence-models", "biology"} & found.keys()


def test_categories_decide_where_they_are_known(topics: dict[str, Topic]) -> None:
    found = slugs(topics, "Language models see robots", categories=("astro-ph.GA", "cs.RO"))
    assert found == {"astrophysics": 1.0, "robotics": 0.6}


def test_topics_finer_than_arxiv_come_from_the_text(topics: dict[str, Topic]) -> None:
    found = slugs(topics, "Graph neural networks for galaxies", categories=("cs.LG",))
    assert found == {"graph-neural-networks": 0.6}


def test_acronyms_are_exact_and_plurals_are_not(topics: dict[str, Topic]) -> None:
    assert slugs(topics, "GNNs and GANs").keys() == {"graph-neural-networks", "generative-models"}
    assert slugs(topics, "we began to gan the gnn") == {}
    assert "graph-neural-networks" in slugs(topics, "A Graph-Neural-Network approach")


def test_a_title_counts_more_than_an_abstract(topics: dict[str, Topic]) -> None:
    in_title = slugs(topics, "Federated learning")["federated-learning"]
    in_abstract = slugs(topics, "", "Federated learning. Federated learning.")["federated-learning"]
    assert 1 > in_title > in_abstract > 0


def test_repetition_saturates(topics: dict[str, Topic]) -> None:
    often, oftener = (slugs(topics, "", "continual learning " * times)["continual-learning"] for times in (10, 1000))
    assert oftener - often < 0.01
    assert oftener < 0.6


def test_a_passing_mention_is_no_topic(topics: dict[str, Topic]) -> None:
    assert slugs(topics, "A Fast Method", "As in computer vision, we propose a method.") == {}


@pytest.fixture
def paper(topics: dict[str, Topic]) -> Paper:
    return Paper.objects.create(title="Spiking neural networks for robots")


def test_assigning_twice_changes_nothing(paper: Paper) -> None:
    assert assign([paper]) == 2
    before = list(PaperTopic.objects.order_by("pk").values())
    assert assign([paper]) == assign_all() == 0
    assert before == list(PaperTopic.objects.order_by("pk").values())


def test_new_text_brings_new_topics_and_drops_the_old(paper: Paper) -> None:
    assign([paper])
    paper.title = "Federated learning"
    assign([paper])
    assert [row.topic.slug for row in paper.paper_topics.all()] == ["federated-learning"]


def test_an_editors_topic_stays_as_it_is(paper: Paper, topics: dict[str, Topic]) -> None:
    for slug in ("robotics", "astrophysics"):
        paper.paper_topics.create(topic=topics[slug], strength=0.9, source=PaperTopic.Source.EDITOR)
    assign([paper])
    kept = paper.paper_topics.filter(source=PaperTopic.Source.EDITOR)
    assert {(row.topic.slug, row.strength) for row in kept} == {("robotics", 0.9), ("astrophysics", 0.9)}
    assert paper.paper_topics.count() == 3


def test_many_papers_need_few_queries(topics: dict[str, Topic], django_assert_max_num_queries: object) -> None:
    papers = Paper.objects.bulk_create(Paper(title=f"Robot no. {n}", title_key=str(n)) for n in range(400))
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert assign(papers) == 400


def test_a_topic_of_the_seeds_is_told_in_the_language_that_is_spoken_and_another_as_it_was_given() -> None:
    seed, own = Topic(name="Robotics", field="Society"), Topic(name="Search", field="Our lab")
    with override("de"):
        assert (seed.spoken, seed.spoken_field) == ("Robotik", "Gesellschaft")
        assert (own.spoken, own.spoken_field) == ("Search", "Our lab")
