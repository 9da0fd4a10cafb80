# Needs Python 3.11 or newer and make; everything else is fetched into .venv by `make demo` or `make test`.

VENV := .venv
RUN := $(VENV)/bin/python
# The version that wrote uv.lock.
UV := uv==0.13.9
# A Python to use instead of the first that is new enough: make demo PYTHON=/opt/python/bin/python3
PYTHON ?=
CANDIDATES = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
export UV_PROJECT_ENVIRONMENT := $(VENV)
# What another active environment would say about where Python and its packages are.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH UV_PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-all kill check format translations clean bootstrap venv

help:
	@echo 'make demo      the whole service on this machine, with mail in a local inbox (PORT=8000 SMTP_PORT=8025)'
	@echo 'make test      all tests, on SQLite and, where it is installed, on PostgreSQL'
	@echo 'make test-slow the tests that drive a browser, kill whole services, or flood the sign-up'
	@echo 'make test-all  both'
	@echo 'make kill      the kill suite in its long form, two hours, with a table at the end (ONLY=k1_ for one of it)'
	@echo 'make check     linters, types, templates, migrations, deployment settings'
	@echo 'make format    write the code in its one form'
	@echo 'make translations  gather the words for readers into newsletter/locale, compile them, name what is missing'
	@echo 'make clean     forget the environment and the data of the demo'

demo: $(VENV)/.ready-demo
	@DEMO=1 exec $(RUN) manage.py demo

test: $(VENV)/.ready-test
	@exec $(RUN) -m tests.run

test-slow: $(VENV)/.ready-test
	@exec $(RUN) -m tests.run --slow

test-all: test test-slow

kill: $(VENV)/.ready-test
	@exec $(RUN) -m tests.run --kill $(if $(ONLY),-k '$(ONLY)')

PRODUCTION := DEMO=0 SECRET_KEY=$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))') \
	SUPPRESSION_KEY=only-for-this-check SITE_URL=https://papers.example ALLOWED_HOSTS=papers.example \
	MAIL_FROM=papers@papers.example POSTAL_ADDRESS='1 Example Street'

check: $(VENV)/.ready-test
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	@$(PRODUCTION) sh -exc '$(RUN) -m mypy; \
		$(RUN) manage.py makemigrations --check --dry-run; \
		$(RUN) manage.py check --deploy --fail-level WARNING'
	$(RUN) -m djlint templates --lint --quiet

format: $(VENV)/.ready-test
	$(RUN) -m ruff format .
	$(RUN) -m ruff check --fix .

translations: $(VENV)/.ready-test
	@$(RUN) -m tests.catalogues

clean:
	rm -rf $(VENV) var staticfiles

# Two stamps: the demo does without the development group, and must not take it away either.
$(VENV)/.ready-demo: uv.lock pyproject.toml
	@$(MAKE) --no-print-directory bootstrap
	@echo 'Installing what the demo needs …'
	@$(RUN) -m uv sync --frozen --no-dev --inexact --python $(RUN)
	@touch $@

$(VENV)/.ready-test: uv.lock pyproject.toml
	@$(MAKE) --no-print-directory bootstrap
	@echo 'Installing what the tests need …'
	@$(RUN) -m uv sync --frozen --python $(RUN)
	@touch $(VENV)/.ready-demo $@

# An environment that was broken off half-way, or whose Python is gone, is made anew.
bootstrap:
	@{ $(RUN) $(NEW_ENOUGH) && { $(RUN) -m pip --version || $(RUN) -m ensurepip; }; } >/dev/null 2>&1 \
		|| $(MAKE) --no-print-directory venv
	@$(RUN) -m uv --version >/dev/null 2>&1 \
		|| $(RUN) -m pip install --quiet --disable-pip-version-check '$(UV)' \
		|| { echo 'Could not fetch uv: is the package registry in reach?'; exit 1; }

venv:
	@found=; for python in $(CANDIDATES); do \
		if $$python $(NEW_ENOUGH) 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'Python 3.11 or newer is needed, and none was found. Looked at:'; \
		for python in $(CANDIDATES); do echo "  $$python: $$($$python --version 2>&1 | head -1)"; done; \
		echo 'Install it (Debian, Ubuntu: apt install python3 python3-venv), or say where it is: make demo PYTHON=/path/to/python3'; \
		exit 1; \
	fi; \
	if ! $$found -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$found cannot make virtual environments: its venv module is missing."; \
		echo "Install it (Debian, Ubuntu: apt install $$($$found -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'))."; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$found --version) …"; \
	rm -rf $(VENV) && $$found -m venv $(VENV)
