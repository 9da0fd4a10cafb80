# syntax=docker/dockerfile:1
# One image for web, worker and beat; the command says which (docker-compose.yml).
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_NO_CACHE=1
RUN pip install uv==0.13.9
WORKDIR /app
# The dependencies first: they change less often than the code.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev
COPY manage.py ./
COPY seeds seeds
COPY templates templates
COPY papers papers
COPY subscribers subscribers
COPY newsletter newsletter
# Any complete environment will do to gather static files; nothing of it stays in the image.
RUN SECRET_KEY=build SUPPRESSION_KEY=build SITE_URL=https://build.invalid MAIL_FROM=build@build.invalid \
    POSTAL_ADDRESS=none /app/.venv/bin/python manage.py collectstatic --no-input

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin papers
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /app /app
USER 10001
EXPOSE 8000
# A worker of granian now and then hangs in its own shutdown: it is ended within the 30 s that a stop may take
# (https://github.com/emmett-framework/granian/issues/875).
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "8", "--workers-kill-timeout", "20", "newsletter.wsgi:application"]
