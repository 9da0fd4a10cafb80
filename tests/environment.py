"""The environment that the settings read under test; loaded as a plugin, before Django is."""

import os
import tempfile

os.environ.update(
    {
        "DEMO": "0",
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "SUPPRESSION_KEY": "only-for-tests-" + "y" * 50,
        "SITE_URL": "https://papers.example",
        "ALLOWED_HOSTS": "papers.example,testserver",
        "MAIL_FROM": "papers@papers.example",
        "POSTAL_ADDRESS": "1 Test Street, 00000 Testville",
        "VAR_DIR": os.environ.get("TEST_VAR_DIR") or tempfile.mkdtemp(prefix="tp-"),
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:"),
        "REDIS_URL": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:1"),
        "STATIC_HASHED": "0",  # the tests collect no static files
        "LOG_LEVEL": "INFO",
        "SECOND_FACTOR": "0",  # the tests of it turn it on
        "OMP_NUM_THREADS": "1",  # each worker has its core: more threads of one calculation wait for each other
    }
)
