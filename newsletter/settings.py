"""All settings, read from the environment (https://12factor.net/config).

Safe by default: nothing runs in the open unless a variable says so. `DEMO=1` (set by `make demo`) is
the only mode that fills in what is missing, and it binds to this machine alone.
"""

import os
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from environs import Env, validate

from newsletter import logs
from newsletter import validators as valid
from newsletter.cockpit import theme
from newsletter.demo.keeping import kept_secret, socket_dir

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
positive, not_negative = (partial(env.int, validate=least) for least in (valid.AT_LEAST_ONE, valid.NOT_NEGATIVE))
said, some = partial(env.str, validate=valid.NOT_EMPTY), partial(env.list, subcast=str.strip)

DEMO = env.bool("DEMO", False)
DEBUG = env.bool("DEBUG", False)
# Where the embedded parts keep their files: database, Redis, caught mail.
VAR_DIR = Path(env.str("VAR_DIR", str(BASE_DIR / "var")))


def required(name: str, in_demo: str, validate: Any = valid.NOT_EMPTY) -> str:
    """A setting with no safe default but in the demo. Raises environs.EnvError, which names it, where it is not set."""
    return env.str(name, in_demo, validate=validate) if DEMO else env.str(name, validate=validate)


SECRET_KEY = kept_secret(VAR_DIR, "secret_key") if DEMO else said("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = some("SECRET_KEY_FALLBACKS", [])
# Keys the suppression hashes. Apart from SECRET_KEY, because rotating that must not revive anybody.
SUPPRESSION_KEY = kept_secret(VAR_DIR, "suppression_key") if DEMO else said("SUPPRESSION_KEY")

# --- the site ---------------------------------------------------------------------------------------
SITE_NAME = env.str("SITE_NAME", "Trending Papers")
PORT = env.int("PORT", 8000)  # of the demo's web server
SITE_URL = required("SITE_URL", f"http://127.0.0.1:{PORT}", valid.SITE).rstrip("/")
ALLOWED_HOSTS = some("ALLOWED_HOSTS", ["127.0.0.1", "localhost"] if DEMO else [])
CSRF_TRUSTED_ORIGINS: list[str] = some("CSRF_TRUSTED_ORIGINS", [])
# How many reverse proxies of ours stand before the site; the client's address is counted from them.
PROXY_HOPS = not_negative("PROXY_HOPS", 0)

# Sites that may show the sign-up form (docs/embed.md): https://lab.example
EMBED_ORIGINS = [site.rstrip("/").lower() for site in some("EMBED_ORIGINS", [], validate=valid.each(valid.SITE))]
# Whether addresses made to be thrown away may sign up: allow or refuse.
DISPOSABLE_ADDRESSES = env.str("DISPOSABLE_ADDRESSES", "allow", validate=validate.OneOf(["allow", "refuse"]))
# Whether DNS is asked if a domain takes mail, before a confirmation goes to it. Without an answer, it goes.
LOOK_UP_DOMAINS = env.bool("LOOK_UP_DOMAINS", False)
DNS_SERVER = env.str("DNS_SERVER", "")  # address:port; empty: as this machine asks
DKIM_SELECTORS: list[str] = some("DKIM_SELECTORS", [])  # of the sender's keys, for the checks of an edition

# From one network, to the public API.
API_REQUESTS_PER_MINUTE = not_negative("API_REQUESTS_PER_MINUTE", 60)

SECURE_SITE = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SITE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SITE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_SITE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXY_HOPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # before the admin, whose templates it replaces
    "newsletter.apps.CockpitConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "anymail",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "newsletter",
    "papers",
    "subscribers",
]
MIDDLEWARE = [
    "newsletter.middleware.health.probes",
    "newsletter.middleware.proxies.real_address",
    "papers.api.edge.open_to_all",
    "django.middleware.security.SecurityMiddleware",
    "newsletter.middleware.policy.content_policy",
    "newsletter.middleware.bodies.bounded",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last, as it asks
]
ROOT_URLCONF = "newsletter.urls"
WSGI_APPLICATION = "newsletter.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "newsletter.context_processors.site",
                "subscribers.context_processors.signup",
            ],
        },
    },
]
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
# File names with hashes, cached for ever; needs `manage.py collectstatic` first.
STATIC_HASHED = env.bool("STATIC_HASHED", SECURE_SITE)
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_HASHED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not STATIC_HASHED
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# --- who may enter the admin ----------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# A code from the phone beside the password. The demo, which listens to this machine alone, does without.
SECOND_FACTOR = env.bool("SECOND_FACTOR", not DEMO)
OTP_TOTP_ISSUER = SITE_NAME
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
# After so many wrong passwords for one name from one address, nobody of that pair gets in for so long.
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "admin/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # the audit log says who did what; who only looked in is nobody's business
AXES_VERBOSE = False
UNFOLD = theme.of(SITE_NAME)
SESSION_COOKIE_AGE = 12 * 60 * 60  # a working day
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "newsletter" / "locale"]  # made by `make translations`
FORMAT_MODULE_PATH = "newsletter.formats"
TIME_ZONE = "UTC"  # readers have their own zones; the machines have this one

# --- the database -------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {
    "default": env.dj_db_url("DATABASE_URL", f"sqlite:///{VAR_DIR}/papers.sqlite3", conn_max_age=60)
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # IMMEDIATE locks at BEGIN, where SQLite waits; an upgraded read fails at once: sqlite.org/lang_transaction.html
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

# --- Redis: a nudge and a cache, never the record -----------------------------------------------------
REDIS_URL = env.str("REDIS_URL", f"unix://{socket_dir(VAR_DIR)}/redis.sock", validate=valid.REDIS)
_by_socket = REDIS_URL.startswith("unix://")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"{REDIS_URL}?db=1" if _by_socket else REDIS_URL,
        "KEY_PREFIX": "papers",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},  # a page does not wait for a lost Redis
    }
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1) if _by_socket else REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
# Publishing never waits long for a lost Redis: the sweep finds what the nudge would have told.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0}

# --- mail ---------------------------------------------------------------------------------------------
EMAIL_BACKEND = env.str("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend", validate=valid.backend)
EMAIL_HOST = env.str("EMAIL_HOST", "127.0.0.1", validate=valid.HOST)
EMAIL_PORT = env.int("SMTP_PORT", 8025) if DEMO else env.int("EMAIL_PORT", 25, validate=valid.PORT)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = positive("EMAIL_TIMEOUT", 30)  # seconds to connect, and as many to answer
# Provider settings by anymail's own names: ANYMAIL_POSTMARK_SERVER_TOKEN=… and so on.
ANYMAIL = {"REQUESTS_TIMEOUT": (min(10, EMAIL_TIMEOUT), EMAIL_TIMEOUT)} | {
    name.removeprefix("ANYMAIL_"): value for name, value in os.environ.items() if name.startswith("ANYMAIL_")
}
MAIL_FROM_NAME = env.str("MAIL_FROM_NAME", SITE_NAME)
MAIL_FROM = required("MAIL_FROM", "papers@trending-papers.example", valid.ADDRESS)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM
# The law of most places asks for it in every newsletter (CAN-SPAM § 7704(a)(5), TMG § 5).
POSTAL_ADDRESS = required("POSTAL_ADDRESS", "1 Example Street, 00000 Exampleville")
# The folder in which the demo's mail catcher keeps mail; the inbox page exists only where it is set.
INBOX_DIR = Path(env.str("INBOX_DIR", str(VAR_DIR / "inbox"))) if DEMO else None

# --- choosing and delivering --------------------------------------------------------------------------
POOL_DAYS = positive("POOL_DAYS", 3650 if DEMO else 14)  # the demo reads the seed page whatever its age
FIRST_DIGEST_AFTER = timedelta(seconds=not_negative("FIRST_DIGEST_AFTER", 30))
TICK_SECONDS = positive("TICK_SECONDS", 5 if DEMO else 60)
CLAIM_SIZE = positive("CLAIM_SIZE", 500)  # digests a worker takes at once
# Per worker process: how many may be uncertain after a kill, connections, messages a call: docs/delivery.md
SUBMIT_SLICE = positive("SUBMIT_SLICE", 20)
SUBMIT_CONNECTIONS = positive("SUBMIT_CONNECTIONS", 20)
SUBMIT_BATCH = positive("SUBMIT_BATCH", None)
DELIVER_SECONDS = positive("DELIVER_SECONDS", 5)  # before it looks after other tasks
LEASE = timedelta(seconds=env.int("LEASE_SECONDS", max(300, 5 * EMAIL_TIMEOUT), validate=valid.outlasts(EMAIL_TIMEOUT)))
# How late a daily digest may be; a weekly one four times as much, a monthly one ten times.
DIGEST_EXPIRES_AFTER = timedelta(hours=positive("DIGEST_EXPIRES_AFTER_HOURS", 12))

# --- brakes: docs/reliability.md ---------------------------------------------------------------------
# How many copies of an edition go ahead, and how long the rest waits for what becomes of them. 0 is off: everybody
# gets theirs at their hour. Large lists should ask for some.
CANARY_SIZE = not_negative("CANARY_SIZE", 0)
CANARY_WAIT = timedelta(minutes=not_negative("CANARY_MINUTES", 10))
# Cadences whose editions wait until an operator approves each: daily, weekly, monthly. Others go by themselves.
NEEDS_APPROVAL: list[str] = some("NEEDS_APPROVAL", [], validate=valid.CADENCES)
# An edition stops by itself at so many percent of what was accepted, but not before so many.
STOP_COMPLAINT_PERCENT = env.float("STOP_COMPLAINT_PERCENT", 0.1, validate=valid.PERCENT)
STOP_AFTER_COMPLAINTS = positive("STOP_AFTER_COMPLAINTS", 3)
STOP_BOUNCE_PERCENT = env.float("STOP_BOUNCE_PERCENT", 5, validate=valid.PERCENT)
STOP_AFTER_BOUNCES = positive("STOP_AFTER_BOUNCES", 20)
# Calls a second to the provider, for all workers together: 0 is no limit, not set is what the provider says that an
# account may do (newsletter/delivery/wire/throttle.py). To recipient domains: "example.org=5,*=100".
SEND_PER_SECOND = env.float("SEND_PER_SECOND", None, validate=valid.NOT_NEGATIVE)
DOMAINS_PER_SECOND: dict[str, float] = valid.rates(env.str("DOMAINS_PER_SECOND", "", validate=valid.rates))
# How many worker processes there are altogether: without Redis each keeps to its share of a rate.
WORKER_PROCESSES = positive("WORKER_PROCESSES", 8)
# Soft bounces of one address until it counts as gone; how soon half of them is forgotten.
SOFT_BOUNCES = env.float("SOFT_BOUNCES", 4, validate=valid.AT_LEAST_ONE)
SOFT_BOUNCE_HALF_LIFE = timedelta(days=positive("SOFT_BOUNCE_HALF_LIFE_DAYS", 14))
# Readers of one domain whose mail came back for good, and nobody's arrived, until the domain is held; and for how long.
DOMAIN_BOUNCES = positive("DOMAIN_BOUNCES", 5)
DOMAIN_HOLD = timedelta(hours=positive("DOMAIN_HOLD_HOURS", 24))
DATABASE_IS_RESTORED = env.bool("DATABASE_IS_RESTORED", False)  # to be looked at: nothing is sent
# Outside production: the domains that are mailed as usual, and the one address that gets everything else.
MAIL_ONLY_TO: list[str] = some("MAIL_ONLY_TO", [], validate=valid.each(valid.DOMAIN))
MAIL_REROUTE_TO = env.str("MAIL_REROUTE_TO", "", validate=valid.if_any(valid.ADDRESS))

# --- sign-up that cannot be turned against a stranger: docs/abuse.md -----------------------------------
# What one network (a /24 or /56) may ask for. Beyond the first, each request takes a proof of work …
SIGNUP_SOFT_PER_HOUR = not_negative("SIGNUP_SOFT_PER_HOUR", 60)
# … of which a request without a good form ticket uses up so many; …
SIGNUP_UNPROVEN_COST = not_negative("SIGNUP_UNPROVEN_COST", 3)
# … beyond the second it is turned away in words, so that no network fills the inbox by itself.
SIGNUP_POSTS_PER_DAY = not_negative("SIGNUP_POSTS_PER_DAY", 2000)
# Letters that strangers can cause; what is beyond waits until there is room again.
SIGNUP_LETTERS_PER_NETWORK = not_negative("SIGNUP_LETTERS_PER_NETWORK", 300)  # an hour; a campus is one network
SIGNUP_LETTERS_PER_DOMAIN = not_negative("SIGNUP_LETTERS_PER_DOMAIN", 300)  # an hour, to one recipient domain
SIGNUP_LETTERS_PER_BIG_DOMAIN = not_negative("SIGNUP_LETTERS_PER_BIG_DOMAIN", 3000)  # an hour, to each of these:
SIGNUP_BIG_DOMAINS: list[str] = some(
    "SIGNUP_BIG_DOMAINS",
    ["gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "qq.com", "163.com", "proton.me", "gmx.de"],
)
SIGNUP_LETTERS_PER_HOUR = not_negative("SIGNUP_LETTERS_PER_HOUR", 5000)  # to everybody together
SIGNUP_RELEASED_PER_HOUR = not_negative("SIGNUP_RELEASED_PER_HOUR", 600)  # of those that were held before
# To all spellings of one mailbox together; one letter a day to each address holds besides.
SIGNUP_LETTERS_PER_MAILBOX = not_negative("SIGNUP_LETTERS_PER_MAILBOX", 5)  # in 30 days
# Requests that wait or are held, at most: past it, sign-up says "later" to what comes without a proof of work,
# and past twice as many to everybody.
SIGNUP_INBOX = not_negative("SIGNUP_INBOX", 20_000)
# Moves to a new address from one network.
MOVES_PER_NETWORK = not_negative("MOVES_PER_NETWORK", 20)  # a day
# Steps of the proof of work, of about a millisecond each on one core of a phone; half to all of them are needed.
WORK_STEPS = positive("WORK_STEPS", 1000)
WORK_STEPS_UNDER_ATTACK = positive("WORK_STEPS_UNDER_ATTACK", 4000)
# Attack mode begins when so many confirmations went out within an hour, and of them fewer than so many in a
# hundred came back; it ends when for a while few requests came without a proof.
ATTACK_FLOOR = not_negative("ATTACK_FLOOR", 200)
ATTACK_CONFIRMED_PERCENT = not_negative("ATTACK_CONFIRMED_PERCENT", 15)
ATTACK_CALM = timedelta(minutes=not_negative("ATTACK_CALM_MINUTES", 30))
ATTACK_CALM_REQUESTS = not_negative("ATTACK_CALM_REQUESTS", 50)
# How long a confirmation waits under attack: time for an operator to look.
ATTACK_DELAY = timedelta(minutes=not_negative("ATTACK_DELAY_MINUTES", 5))
# Who is told, by mail, of an attack, of what was stopped, and of what waits for approval.
OPERATORS: list[str] = some("OPERATORS", [], validate=valid.each(valid.ADDRESS))
# Before every key of ours in Redis; two sites that share one Redis need two.
REDIS_PREFIX = env.str("REDIS_PREFIX", "papers")

# --- what is kept of people, and for how long: subscribers/retention.py, once a day ------------------
KEEP_UNCONFIRMED = timedelta(days=14)  # who asked and never confirmed
KEEP_UNANSWERED = timedelta(days=365)  # the hash of such an address, with how many letters it got in vain
REMIND_AFTER = timedelta(days=2)  # one reminder to who has not confirmed, while as long as this is left to do so
REMIND_WITHIN = timedelta(days=1)  # a reminder held up for longer is not sent
KEEP_FORMER = timedelta(hours=1)  # what was before a change of preferences, for its undo
KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)  # of programs that sign readers up
KEEP_MOVE = timedelta(days=3)  # a wish for another address that has not been confirmed on both
KEEP_IMPORTS = timedelta(days=30)  # an import's report, and its file where nobody confirmed it
KEEP_NETWORKS = timedelta(days=90)  # the truncated network of a consent; the consent itself stays as proof
KEEP_LETTERS = timedelta(days=365)  # settled letters: more than the limits look back
KEEP_EVENTS = timedelta(days=365)  # applied events of providers
KEEP_CENSUS = timedelta(days=400)  # counts of readers: a year to compare with
KEEP_PROGRESS = timedelta(days=90)  # counts of an edition on its way
KEEP_DIGESTS = timedelta(days=730)  # settled digests; papers of editions before that do not come again
KEEP_REFUSED = timedelta(days=1)  # the papers of a digest that a provider refused later

# --- fetching papers ----------------------------------------------------------------------------------
# Where the sources are; a mirror of yours is named here and in FETCH_HOSTS.
SOURCE_URLS = {
    "hugging-face": env.str("HUGGING_FACE_URL", "https://huggingface.co/api/daily_papers"),
    "arxiv-feed": env.str("ARXIV_FEED_URL", "https://rss.arxiv.org/atom"),
    "arxiv-api": env.str("ARXIV_API_URL", "https://export.arxiv.org/api/query"),
    "arxiv-oai": env.str("ARXIV_OAI_URL", "https://oaipmh.arxiv.org/oai"),
}
FETCH_HOSTS: list[str] = some(
    "FETCH_HOSTS", ["huggingface.co", "arxiv.org", "rss.arxiv.org", "export.arxiv.org", "oaipmh.arxiv.org"]
)
# Opens this machine, by http too, to fetching: for a mirror on it, and for tests.
FETCH_LOOPBACK = env.bool("FETCH_LOOPBACK", False)
# Seconds between two requests of all our workers together. arXiv's is its rule: info.arxiv.org/help/api/tou.html
FETCH_EVERY = {"arxiv": 3, "hugging-face": 1}
FETCH_BYTES = 30_000_000  # of one answer, unpacked; arXiv's largest pages are 5 MB
FETCH_SECONDS = 60  # for one answer, from connecting to its last byte
FETCH_PATIENCE = 60  # seconds to wait for a turn, or as a source's Retry-After asks
FETCH_BACK_OFF = 5  # seconds after the first failure, twice that after the second

LOGIN_REDIRECT_URL = "/admin/"  # only operators log in
DEFAULT_EXCEPTION_REPORTER_FILTER = "newsletter.reports.Discreet"
LOGGING = logs.of(DEMO, env.str("LOG_LEVEL", "INFO", validate=valid.LEVEL))
